#!/bin/sh
# own.sh NAME ADDRESS DAYS RENEW OWNER…: makes an authority, and a certificate from it for each
# owner, if missing or about to expire.
set -e
umask 077
cd /etc/appliance/tls
name=$1 address=$2 days=$3 renew=$4
shift 4
is_valid_for() { [ -e "$1" ] && openssl x509 -in "$1" -noout -checkend $(($2 * 86400)) >/dev/null; }
is_issued_here() {
    openssl verify -no_check_time -CAfile ca.pem "$1" >/dev/null 2>&1 &&
        openssl x509 -in "$1" -noout -ext subjectAltName | grep -q "DNS:$name, IP Address:$address$"
}
key="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
if ! is_valid_for ca.pem "$days"; then
    # shellcheck disable=SC2086
    openssl req -x509 $key -subj "/CN=$name authority" -days 3650 -addext keyUsage=critical,keyCertSign,cRLSign \
        -keyout ca.key -out ca.pem 2>/dev/null
    echo made an authority
fi
for owner in "$@"; do
    if ! is_valid_for "$owner.pem" "$renew" || ! is_issued_here "$owner.pem"; then
        # shellcheck disable=SC2086
        openssl req -x509 $key -CA ca.pem -CAkey ca.key -days "$days" -subj "/CN=$name" \
            -addext basicConstraints=critical,CA:FALSE -addext "subjectAltName=DNS:$name,IP:$address" \
            -addext extendedKeyUsage=serverAuth -keyout "$owner.key" -out "$owner.pem" 2>/dev/null
        echo "made the certificate of $owner"
    fi
done
