"""Conversation scripts: their versions, and each call's run through one."""

from peewee import CharField, ForeignKeyField, IntegerField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User
from appliance.models.versions import Version


class Script(Table):
    """A guide for operators through calls of one kind; its contents are in its versions."""

    code = CharField(unique=True)
    made_at = MomentField()


class ScriptVersion(Version):
    """A version of a script: in force, formerly in force, or a draft."""

    owner_column = "script"

    script = ForeignKeyField(Script, backref="versions", on_delete="RESTRICT", index=False)
    definition = DocumentField()  # casework.scripts.definition

    class Meta:
        indexes = ((("script", "number"), True),)


class ScriptRun(Table):
    """The use of a script by an operator in a call, in the version in force then."""

    token = CharField()  # of the form, which may have no call
    call_id = CharField(null=True, index=True)
    operator = ForeignKeyField(User, backref="script_runs", on_delete="RESTRICT", index=False)
    version = ForeignKeyField(ScriptVersion, backref="runs", on_delete="RESTRICT")
    language = CharField()  # the language of the conversation: uz | ru
    begun_at = MomentField(index=True)
    ended_at = MomentField(null=True)  # null while it is followed
    result = CharField(default="")  # casework.scripts.runs.RESULTS; "" while it is followed
    step = CharField()  # code of the current or last step

    class Meta:
        indexes = ((("operator", "token"), False),)


class ScriptStep(Table):
    """One step that was opened in a run; `number` is its position."""

    run = ForeignKeyField(ScriptRun, backref="steps", on_delete="CASCADE", index=False)
    number = IntegerField()  # from 1
    step = CharField()  # its code in the version
    how = CharField()  # how it was reached: casework.scripts.course.TRANSITIONS
    answer = IntegerField(default=0)  # the number of the selected answer; 0: no answer
    at = MomentField()

    class Meta:
        indexes = ((("run", "number"), True),)
