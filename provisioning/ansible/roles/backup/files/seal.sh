#!/bin/sh
# What only root reads (certificates, secrets, the inventory), sealed with the recovery key: the appliance, which makes
# the snapshots, takes it along and cannot open it. Prints a word when it was sealed anew. No times go in: files that
# were written again as they were are not new. The folder of the keys is the appliance's: a link may lie there, so root
# writes nothing into it.
set -e
umask 077
keys=/etc/appliance/keys
known=/etc/appliance/box.sum
as_appliance() { setpriv --reuid=appliance --regid=appliance --init-groups "$@"; }
# Whose key it is, root keeps from the first time on: what lies in the appliance's folder may be changed later.
pinned=/etc/appliance/recovery.pub
if ! [ -s $pinned ]; then
    if as_appliance test -e $keys/recovery.key; then
        as_appliance age-keygen -y $keys/recovery.key >$pinned
    else
        as_appliance cat $keys/recovery.pub >$pinned
    fi
fi
to=$(cat $pinned)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C / --sort=name --mtime=@0 --exclude='*.before-restore' --exclude=etc/appliance/keys \
    --exclude=etc/appliance/appliance.toml --exclude=etc/appliance/box.sum --exclude='etc/appliance/disk.*' -cf "$work/box.tar" etc/appliance
sum=$(echo "$to" | cat - "$work/box.tar" | sha256sum)
[ "$(cat $known 2>/dev/null)" != "$sum" ] || ! as_appliance test -e $keys/box.tar.age || exit 0
age -r "$to" "$work/box.tar" |
    as_appliance sh -c "umask 077; cat >$keys/box.tar.age.new && mv -fT $keys/box.tar.age.new $keys/box.tar.age"
echo "$sum" >$known
echo sealed
