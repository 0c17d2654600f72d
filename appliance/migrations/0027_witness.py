"""Calls that Asterisk told of and its log does not; what was seen of its modules and queues."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class SeenCall(Model):
        linkedid = CharField(primary_key=True)
        at = MomentField(index=True)
        begins = CharField()

        class Meta:
            database = db
            table_name = "seen_call"

    class ExchangeLook(Model):
        name = CharField(primary_key=True)
        missing = DocumentField(default=list)
        at = MomentField()

        class Meta:
            database = db
            table_name = "exchange_look"

    db.create_tables([SeenCall, ExchangeLook])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("exchange_look"))
    migrator.migrate(migrator.drop_table("seen_call"))
