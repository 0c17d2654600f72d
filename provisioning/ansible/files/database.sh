#!/bin/sh
# database.sh keep DATABASE: makes a complete copy, while others may read the database; prints the copy's name. The three
# newest copies are kept.
# database.sh migrated DATABASE COPY: the same after the migrations, next to COPY; prints its name.
# roll_back puts the copy back in place.
# Runs as the appliance: in its own folder there may be a link to a place where only root may write.
set -e
umask 077
database=$2
as_appliance() { setpriv --reuid=appliance --regid=appliance --init-groups "$@"; }
python=/opt/appliance/current/bin/python driver=appliance.core.sqlite
# A release up to 0.2 has only Debian's SQLite. That is safe here: no other process has the file open.
"$python" -I -c "import $driver" 2>/dev/null || driver=sqlite3
# Makes a complete copy of the database or removes it: a partial one would fill the disk.
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
