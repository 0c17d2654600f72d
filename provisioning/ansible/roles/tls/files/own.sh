#!/bin/sh
# own.sh NAME ADDRESS DAYS RENEW WHOSE…: an authority, and a certificate of it for each, where missing or near the end.
set -e
umask 077
cd /etc/appliance/tls
name=$1 address=$2 days=$3 renew=$4
shift 4
lasts() { [ -e "$1" ] && openssl x509 -in "$1" -noout -checkend $(($2 * 86400)) >/dev/null; }
of_ours() {
    openssl verify -no_check_time -CAfile ca.pem "$1" >/dev/null 2>&1 &&
        openssl x509 -in "$1" -noout -ext subjectAltName | grep -q "DNS:$name, IP Address:$address$"
}
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
if ! lasts ca.pem "$days"; then
    # shellcheck disable=SC2086
    openssl req -x509 $key -subj "/CN=$name authority" -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout ca.key -out ca.pem 2>/dev/null
    echo made an authority
fi
for whose in "$@"; do
    if ! lasts "$whose.pem" "$renew" || ! of_ours "$whose.pem"; then
        # shellcheck disable=SC2086
        openssl req -x509 $key -CA ca.pem -CAkey ca.key -days "$days" -subj "/CN=$name" \
            -addext basicConstraints=critical,CA:FALSE -addext "subjectAltName=DNS:$name,IP:$address" \
            -addext extendedKeyUsage=serverAuth -keyout "$whose.key" -out "$whose.pem" 2>/dev/null
        echo "made the certificate of $whose"
    fi
done
