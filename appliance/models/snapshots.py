"""What was done about snapshots: made, verified, tried out, compared."""

from peewee import BigIntegerField, BooleanField, CharField, FloatField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class SnapshotRun(Table):
    """One snapshot made, one verified or one tried out by a drill; or the wish for it."""

    kind = CharField()  # create | verify | drill | copy (a drill of the continuous one)
    repository = CharField()  # its name in the settings; "": all of them
    snapshot = CharField(default="")  # restic's id, once there is one
    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField()  # asked | running | done | failed
    verified = BooleanField(default=False)
    bytes_added = BigIntegerField(default=0)  # in the repository
    bytes_total = BigIntegerField(default=0)  # what it would take to restore all of it
    trouble = CharField(default="")  # SnapshotError's code
    said = TextField(default="")  # its words
    detail = DocumentField(default=dict)  # counts, as the manifest has them; what was compared
    by = CharField(default="")  # login, or "jobs"


class CopyCheck(Table):
    """One restore of the continuous copy, compared with the running database.

    The row is part of what is compared: a copy that lacks it is older than the check.
    """

    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField(default="running")  # running | done | failed
    trouble = CharField(default="")  # SnapshotError's code, or broken_off
    said = TextField(default="")  # its message
    counts = DocumentField(default=dict)  # rows in the copy by name; before the end: expected ones
    seconds = FloatField(default=0.0)
