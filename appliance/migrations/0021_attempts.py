"""Each attempt to send is kept for the limits, not only the last one of a message."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class SendAttempt(Model):
        channel = CharField()
        recipient = CharField()
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "send_attempt"

    db.create_tables([SendAttempt])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("send_attempt"))
