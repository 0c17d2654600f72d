"""Work on snapshots: creating, verifying, drills, comparisons."""

from peewee import BigIntegerField, BooleanField, CharField, FloatField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class SnapshotRun(Table):
    """A snapshot that was created, verified or tried out by a drill, or the request for it."""

    kind = CharField()  # create | verify | drill | copy (a drill of the continuous copy)
    repository = CharField()  # its name in the settings; "": all of them
    snapshot = CharField(default="")  # restic's id, once it exists
    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField()  # asked | running | done | failed
    verified = BooleanField(default=False)
    bytes_added = BigIntegerField(default=0)  # in the repository
    bytes_total = BigIntegerField(default=0)  # what restoring everything would take
    trouble = CharField(default="")  # SnapshotError's code
    said = TextField(default="")  # its message
    detail = DocumentField(default=dict)  # counts, as in the manifest; what was compared
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
    # rows in the copy by name; before the end: the expected numbers
    counts = DocumentField(default=dict)
    seconds = FloatField(default=0.0)
