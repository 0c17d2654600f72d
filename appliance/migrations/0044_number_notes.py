"""Notes that stay with a number; numbers that were promised to be called back."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class NumberNote(Model):
        number = CharField(index=True)
        text = TextField()
        by = CharField()
        at = MomentField(index=True)
        changed_by = CharField(default="")
        changed_at = MomentField(null=True)
        removed_by = CharField(default="")
        removed_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "number_note"

    class ScheduledCallback(Model):
        number = CharField()
        due_at = MomentField()
        note = TextField(default="")
        operator = ForeignKeyField(User, on_delete="RESTRICT", index=False)
        call_id = CharField(null=True)
        made_by = CharField()
        made_at = MomentField()
        done_at = MomentField(null=True)
        done_by = CharField(default="")

        class Meta:
            database = db
            table_name = "scheduled_callback"
            indexes = ((("done_at", "operator", "due_at"), False),)

    db.create_tables([NumberNote, ScheduledCallback])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("scheduled_callback"), migrator.drop_table("number_note"))
