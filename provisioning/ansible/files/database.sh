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
        python=/opt/appliance/current/bin/python driver=appliance.core.sqlite
        # A release up to 0.2 has Debian's SQLite only. That is safe here: nothing else has the file open.
        "$python" -I -c "import $driver" 2>/dev/null || driver=sqlite3
        as_appliance "$python" -I -m "$driver" "$database" "VACUUM INTO '$copy'" >/dev/null
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
