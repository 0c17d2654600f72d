#!/bin/sh
# What only root reads (certificates, secrets, the inventory), sealed with the recovery key: the appliance, which makes
# the snapshots, takes it along and cannot open it. Prints a word when it was sealed anew. No times go in: files that
# were written again as they were are not new.
set -e
umask 077
keys=/etc/appliance/keys
to=$(age-keygen -y $keys/recovery.key)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tar -C / --sort=name --mtime=@0 --exclude='*.before-restore' --exclude=etc/appliance/keys \
    --exclude=etc/appliance/appliance.toml -cf "$work/box.tar" etc/appliance
sum=$(echo "$to" | cat - "$work/box.tar" | sha256sum)
[ "$(cat $keys/box.sum 2>/dev/null)" != "$sum" ] || exit 0
age -r "$to" -o "$work/box.tar.age" "$work/box.tar"
install -o appliance -g appliance -m 0600 "$work/box.tar.age" $keys/box.tar.age
echo "$sum" >$keys/box.sum
echo sealed
