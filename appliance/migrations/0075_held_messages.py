"""Messages that a restore put on hold, and what is known of them."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Message(Model):
        class Meta:
            database = db
            table_name = "message"

    class HeldMessage(Model):
        message = ForeignKeyField(Message, unique=True, on_delete="CASCADE")
        held_at = MomentField()
        former = CharField(default="")
        account = CharField(default="")
        word = CharField(default="")
        asked_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "held_message"

    db.create_tables([HeldMessage])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("held_message"))
