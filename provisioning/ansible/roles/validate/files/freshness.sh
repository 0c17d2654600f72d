#!/bin/sh
# freshness.sh BUNDLE [RELEASE]: checks that a bundle is as new as the newest that the box has
# accepted, and has not expired. Exit status 0: it is; 1: refused, prints why; 3: it would be
# refused, but its RELEASE was named: prints why, too.
# freshness.sh BUNDLE --accept: the box records it, unless it has accepted a newer one.
# Its signature must have been verified before (signature.sh).
accepted_update=${KNOWN_UPDATE:-/etc/appliance/update}
current=${FORCE:-/opt/appliance/current}
now=${NOW:-$(date +%s)}
cd "$1" || exit 1
value() { sed -n "s/^$1: \([A-Za-z0-9.+-]*\)$/\1/p" "$2" 2>/dev/null | head -n 1; }
# Whether the first of two dotted versions is older.
is_older() { [ "$1" != "$2" ] && [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }
# Whether this bundle is older than the newest one that was accepted.
is_older_bundle() {
    is_older "$version" "$(value version "$accepted_update")" && return 0
    [ "$version" = "$(value version "$accepted_update")" ] && [ "$number" -lt "$(value number "$accepted_update")" ]
}
refuse() {
    echo "$1"
    [ -n "$argument" ] && [ "$argument" = "$release" ] && exit 3
    echo "to use it all the same, name it: $release"
    exit 1
}
argument=$2
release=$(value release update)
version=$(value version update)
number=$(value number update)
expires=$(value expires update)
if [ -z "$release" ] || [ -z "$version" ] || [ -z "$number" ] || [ -z "$expires" ] ||
    [ "$release" != "$(cat release)" ] || ! grep '  update$' SHA256SUMS | sha256sum --check --status --strict; then
    echo "it does not say how new it is; make it with this release or a newer one"
    exit 1
fi
if [ "$argument" = --accept ]; then
    { [ -s "$accepted_update" ] && is_older_bundle; } || cmp -s update "$accepted_update" && exit 0
    echo "accepted $release"
    cp update "$accepted_update.new" && chmod 0644 "$accepted_update.new" && mv "$accepted_update.new" "$accepted_update"
    exit
fi
if [ -s "$accepted_update" ] && is_older_bundle; then
    refuse "it is older than $(value release "$accepted_update"), which this box has accepted"
fi
# A bare box is set up with any bundle: nobody may have to wait for a newer disk to restore a hotline.
if [ "$now" -gt "$expires" ]; then
    message="it has expired on $(date -u -d "@$expires" +%d.%m.%Y): ask for a newer one"
    [ -e "$current" ] && refuse "$message"
    echo "$message"
fi
exit 0
