"""The runs of scheduled jobs."""

from peewee import CharField, TextField

from appliance.core.tables import MomentField, Table


class JobRun(Table):
    """One run of a scheduled job; of runs without any work only the last is stored."""

    name = CharField()
    due_at = MomentField()
    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField(default="running")  # running | done | failed | lost
    result = TextField(default="")  # what was done; the error
    holder = CharField()  # the process, while it runs

    class Meta:
        indexes = ((("name", "due_at"), True),)
