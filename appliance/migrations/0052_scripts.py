"""Conversation scripts: their versions, and how calls went through them."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class ChangeRequest(Model):
        class Meta:
            database = db
            table_name = "change_request"

    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Script(Model):
        code = CharField(unique=True)
        made_at = MomentField()

        class Meta:
            database = db
            table_name = "script"

    db.create_tables([Script])

    class ScriptVersion(Model):
        number = IntegerField()
        state = CharField(default="draft")
        revision = IntegerField(default=1)
        made_at = MomentField()
        by = CharField(default="")
        decided_at = MomentField(null=True)
        decided_by = CharField(default="")
        words = TextField(default="")
        since = MomentField(null=True)
        until = MomentField(null=True)
        request = ForeignKeyField(
            ChangeRequest, field=ChangeRequest.id, null=True, on_delete="RESTRICT"
        )
        script = ForeignKeyField(Script, on_delete="RESTRICT", index=False)
        definition = DocumentField()

        class Meta:
            database = db
            table_name = "script_version"
            indexes = ((("script", "number"), True),)

    db.create_tables([ScriptVersion])

    class ScriptRun(Model):
        token = CharField()
        call_id = CharField(index=True, null=True)
        operator = ForeignKeyField(User, on_delete="RESTRICT", index=False)
        version = ForeignKeyField(ScriptVersion, on_delete="RESTRICT")
        language = CharField()
        begun_at = MomentField(index=True)
        ended_at = MomentField(null=True)
        result = CharField(default="")
        step = CharField()

        class Meta:
            database = db
            table_name = "script_run"
            indexes = ((("operator", "token"), False),)

    db.create_tables([ScriptRun])

    class ScriptStep(Model):
        run = ForeignKeyField(ScriptRun, on_delete="CASCADE", index=False)
        number = IntegerField()
        step = CharField()
        how = CharField()
        answer = IntegerField(default=0)
        at = MomentField()

        class Meta:
            database = db
            table_name = "script_step"
            indexes = ((("run", "number"), True),)

    db.create_tables([ScriptStep])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("script_step"))
    migrator.migrate(migrator.drop_table("script_run"))
    migrator.migrate(migrator.drop_table("script_version"))
    migrator.migrate(migrator.drop_table("script"))
