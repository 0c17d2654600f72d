"""Work on snapshots (backups): creating, verifying, trial restores (drills), comparisons."""

from peewee import BigIntegerField, BooleanField, CharField, FloatField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class SnapshotRun(Table):
    """An action on a snapshot that was requested or run: creation, verification or a drill."""

    kind = CharField()  # create | verify | drill | copy (a drill of the continuous copy)
    repository = CharField()  # its name in the settings; "": all of them
    snapshot = CharField(default="")  # restic's id, once it exists
    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField()  # asked | running | done | failed
    verified = BooleanField(default=False)
    bytes_added = BigIntegerField(default=0)  # in the repository
    bytes_total = BigIntegerField(default=0)  # the size of everything when restored
    trouble = CharField(default="")  # SnapshotError's code
    said = TextField(default="")  # its message
    detail = DocumentField(default=dict)  # counts as in the manifest, or what was compared
    by = CharField(default="")  # login, or "jobs"


class CopyCheck(Table):
    """One restore of the continuous copy, compared with the running database.

    The row is part of the comparison: a copy without it is older than the check.
    """

    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField(default="running")  # running | done | failed
    trouble = CharField(default="")  # SnapshotError's code, or broken_off
    said = TextField(default="")  # its message
    # the number of rows in the copy, by name; while the check runs, the expected numbers
    counts = DocumentField(default=dict)
    seconds = FloatField(default=0.0)
