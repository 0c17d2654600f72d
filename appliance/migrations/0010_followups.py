"""Missed callers until somebody has spoken to them."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class FollowUp(Model):
        number = CharField()
        opened_at = MomentField(index=True)
        kind = CharField()
        call_id = CharField()
        calls = IntegerField()
        missed_at = MomentField()
        joined_at = MomentField()
        language = CharField(null=True)
        topic = CharField(null=True)
        attempts = IntegerField(default=0)
        tried_at = MomentField(null=True)
        closed_at = MomentField(index=True, null=True)
        outcome = CharField(null=True)
        closed_by = CharField(default="")
        note = TextField(default="")
        claimed_until = MomentField(null=True)
        claimed_by = CharField(default="")

        class Meta:
            database = db
            table_name = "follow_up"
            indexes = ((("number", "opened_at"), True),)

    db.create_tables([FollowUp])

    class FollowUpMark(Model):
        number = CharField(index=True)
        at = MomentField()
        outcome = CharField()
        by = CharField(default="")
        note = TextField(default="")

        class Meta:
            database = db
            table_name = "follow_up_mark"

    db.create_tables([FollowUpMark])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("follow_up_mark"))
    migrator.migrate(migrator.drop_table("follow_up"))
