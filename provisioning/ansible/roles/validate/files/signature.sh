#!/bin/sh
# signature.sh BUNDLE [SIGNER]: checks that the list of checksums was signed, by the key of the
# previous bundles or by that with the fingerprint SIGNER. Prints the error, or the fingerprint.
cd "$1" || exit 1
trusted_key=${KNOWN:-/etc/appliance/bundle.pub}
fingerprint() { openssl pkey -pubin -in "$1" -outform DER 2>/dev/null | sha256sum | cut -c1-64; }
if ! [ -s SHA256SUMS.sig ] || ! [ -s bundle.pub ]; then
    echo "it is not signed"
    exit 1
fi
signer=$(fingerprint bundle.pub)
if [ -n "$2" ] && [ "$2" != "$signer" ]; then
    echo "it is signed by $signer, not by $2"
    exit 1
fi
if [ -z "$2" ] && [ -e "$trusted_key" ] && [ "$(fingerprint "$trusted_key")" != "$signer" ]; then
    echo "it is signed by $signer, the bundles before it by $(fingerprint "$trusted_key"). If that is right, name the new one: validate_signer"
    exit 1
fi
if ! openssl pkeyutl -verify -rawin -pubin -inkey bundle.pub -in SHA256SUMS -sigfile SHA256SUMS.sig >/dev/null 2>&1; then
    echo "its list of checksums was changed after it was signed"
    exit 1
fi
echo "$signer"
