#!/bin/sh
# database.sh keep DATABASE: a whole copy, while others may read it; prints its name. The three newest copies stay.
# database.sh migrated DATABASE COPY: the same of what the migrations have made of it, beside the copy; prints its name.
# roll_back.py puts the copy in its place again.
# All of it as the appliance: in its own folder it may have put a link where root would write.
set -e
umask 077
database=$2
as_appliance() { setpriv --reuid=appliance --regid=appliance --init-groups "$@"; }
python=/opt/appliance/current/bin/python driver=appliance.core.sqlite
# A release up to 0.2 has Debian's SQLite only. That is safe here: nothing else has the file open.
"$python" -I -c "import $driver" 2>/dev/null || driver=sqlite3
# A whole copy of the database, or none: half a one would fill the disk.
copy_to() {
    as_appliance "$python" -I -m "$driver" "$database" "VACUUM INTO '$1'" >/dev/null && return
    as_appliance rm -f "$1" "$1-journal"
    return 1
}
case $1 in
    keep)
        copy=$database.before-upgrade-$(date -u +%Y%m%dT%H%M%SZ)
        copy_to "$copy"
        # shellcheck disable=SC2012
        ls -t "$database".before-upgrade-*Z | tail -n +4 | while read -r old; do as_appliance rm -f "$old" "$old.migrated"; done
        echo "$copy"
        ;;
    migrated)
        copy_to "$3.migrated"
        echo "$3.migrated"
        ;;
esac
