#!/bin/sh
# Seals files that only root may read (certificates, secrets, the inventory) with the recovery
# key: the appliance includes the result in its snapshots and cannot open it. Prints a word if
# the sealed file is new. Times are left out, so that files rewritten with the same content do
# not count as changed. The folder of the keys is the appliance's: it may contain a link, so
# root writes nothing into it.
set -e
umask 077
keys=/etc/appliance/keys
sealed_sum=/etc/appliance/box.sum
as_appliance() { setpriv --reuid=appliance --regid=appliance --init-groups "$@"; }
# root stores the recipient's key at the first run: the file in the appliance's folder may be changed later.
pinned=/etc/appliance/recovery.pub
if ! [ -s $pinned ]; then
    if as_appliance test -e $keys/recovery.key; then
        as_appliance age-keygen -y $keys/recovery.key >$pinned
    else
        as_appliance cat $keys/recovery.pub >$pinned
    fi
fi
recipient=$(cat $pinned)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C / --sort=name --mtime=@0 --exclude='*.before-restore' --exclude=etc/appliance/keys \
    --exclude=etc/appliance/appliance.toml --exclude=etc/appliance/box.sum --exclude='etc/appliance/disk.*' -cf "$work/box.tar" etc/appliance
sum=$(echo "$recipient" | cat - "$work/box.tar" | sha256sum)
[ "$(cat $sealed_sum 2>/dev/null)" != "$sum" ] || ! as_appliance test -e $keys/box.tar.age || exit 0
age -r "$recipient" "$work/box.tar" |
    as_appliance sh -c "umask 077; cat >$keys/box.tar.age.new && mv -fT $keys/box.tar.age.new $keys/box.tar.age"
echo "$sum" >$sealed_sum
echo sealed
