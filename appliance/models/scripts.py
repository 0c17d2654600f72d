"""Conversation scripts: their versions, and how each call went through one."""

from peewee import CharField, ForeignKeyField, IntegerField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.versions import Version


class Script(Table):
    """What operators say in calls of a kind; all else stands in its versions."""

    code = CharField(unique=True)
    made_at = MomentField()


class ScriptVersion(Version):
    """A script as it was in force from `since`, or as it is written."""

    thing = "script"

    script = ForeignKeyField(Script, backref="versions", on_delete="RESTRICT", index=False)
    definition = DocumentField()  # casework.scripts.definition

    class Meta:
        indexes = ((("script", "number"), True),)


class ScriptRun(Table):
    """A script that an operator followed in a call, in the version that was in force then."""

    token = CharField()  # of the form that the call has, or that has no call
    call_id = CharField(null=True, index=True)
    operator = ForeignKeyField(User, backref="script_runs", on_delete="RESTRICT", index=False)
    version = ForeignKeyField(ScriptVersion, backref="runs", on_delete="RESTRICT")
    language = CharField()  # in which it was spoken: uz | ru
    begun_at = MomentField(index=True)
    ended_at = MomentField(null=True)  # null while it is followed
    result = CharField(default="")  # casework.scripts.runs.RESULTS; "" while it is followed
    step = CharField()  # the code of the step that is open, or was the last

    class Meta:
        indexes = ((("operator", "token"), False),)


class ScriptStep(Table):
    """One step that was open in a run, in the order in which they were."""

    run = ForeignKeyField(ScriptRun, backref="steps", on_delete="CASCADE", index=False)
    number = IntegerField()  # from 1
    step = CharField()  # its code in the version
    how = CharField()  # casework.scripts.course.HOWS
    answer = IntegerField(default=0)  # the number of what was answered; 0: nothing
    at = MomentField()

    class Meta:
        indexes = ((("run", "number"), True),)
