# Generated from a schema diff on 2026-11-26 06:03.
from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class Message(Model):
        channel = CharField()
        purpose = CharField()
        recipient = CharField(index=True)
        text = TextField(default="")
        payload = DocumentField(default=dict)
        cause = CharField(index=True, default="")
        key = CharField(unique=True)
        state = CharField(default="pending")
        created_at = MomentField()
        due_at = MomentField()
        expires_at = MomentField()
        attempts = IntegerField(default=0)
        claimed_until = MomentField(null=True)
        sent_at = MomentField(null=True)
        ended_at = MomentField(null=True)
        gateway = CharField(default="")
        foreign_id = CharField(index=True, default="")
        trouble = CharField(default="")
        trouble_text = TextField(default="")
        perhaps_twice = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "message"
            indexes = ((("state", "channel", "due_at"), False),)

    db.create_tables([Message])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("message"))
