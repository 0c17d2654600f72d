"""The runs of the timetable."""

from peewee import CharField, TextField

from appliance.core.tables import MomentField, Table


class JobRun(Table):
    """One run of a scheduled job; of runs that found nothing to do only the last is kept."""

    name = CharField()
    due_at = MomentField()
    started_at = MomentField(index=True)
    ended_at = MomentField(null=True)
    state = CharField(default="running")  # running | done | failed | lost
    result = TextField(default="")  # what was done; the error
    holder = CharField()  # the process, as long as it runs

    class Meta:
        indexes = ((("name", "due_at"), True),)
