#!/bin/sh
# own.sh NAME ADDRESS DAYS RENEW: an authority, and a server's certificate of it, where missing or near the end.
set -e
umask 077
cd /etc/appliance/tls
lasts() { [ -e "$1" ] && openssl x509 -in "$1" -noout -checkend $(($2 * 86400)) >/dev/null; }
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
if ! lasts ca.pem "$3"; then
    # shellcheck disable=SC2086
    openssl req -x509 $key -subj "/CN=$1 authority" -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout ca.key -out ca.pem 2>/dev/null
    rm -f server.pem
    echo made an authority
fi
if ! lasts server.pem "$4" || ! openssl x509 -in server.pem -noout -ext subjectAltName | grep -q "DNS:$1, IP Address:$2$"; then
    # shellcheck disable=SC2086
    openssl req -x509 $key -CA ca.pem -CAkey ca.key -days "$3" -subj "/CN=$1" \
        -addext basicConstraints=critical,CA:FALSE -addext "subjectAltName=DNS:$1,IP:$2" \
        -addext extendedKeyUsage=serverAuth -keyout server.key -out server.pem 2>/dev/null
    echo made a certificate
fi
