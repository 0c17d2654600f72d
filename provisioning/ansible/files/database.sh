#!/bin/sh
# database.sh keep DATABASE: a whole copy, while others may read it; prints its name. The three newest copies stay.
# database.sh back DATABASE COPY: puts the copy in its place; nothing may have it open. The other one stays beside it.
# All of it as the appliance: in its own folder it may have put a link where root would write.
set -e
umask 077
database=$2
as_appliance() { setpriv --reuid=appliance --regid=appliance --init-groups "$@"; }
case $1 in
    keep)
        copy=$database.before-upgrade-$(date -u +%Y%m%dT%H%M%SZ)
        as_appliance /opt/appliance/current/bin/python -I -m sqlite3 "$database" "VACUUM INTO '$copy'" >/dev/null
        # shellcheck disable=SC2012
        ls -t "$database".before-upgrade-* | tail -n +4 | while read -r old; do as_appliance rm "$old"; done
        echo "$copy"
        ;;
    back)
        as_appliance rm -rf "$database.failed"
        as_appliance mv -T "$database" "$database.failed"
        as_appliance rm -f "$database-wal" "$database-shm"
        as_appliance cp "$3" "$database"
        ;;
esac
