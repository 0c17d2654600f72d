"""The runs of scheduled jobs."""

from peewee import CharField, TextField

from appliance.core.tables import MomentField, Table


class JobRun(Table):
    """One run of a scheduled job; of the runs that had nothing to do, only the last is stored."""

    name = CharField()
    due_at = MomentField()
    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField(default="running")  # running | done | failed | lost
    result = TextField(default="")  # a text about what was done, or the error
    holder = CharField()  # name of the process that ran it

    class Meta:
        indexes = ((("name", "due_at"), True),)
