# Generated from a schema diff on 2026-11-26 09:26.
from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class HostAddress(Model):
        name = CharField(unique=True)
        addresses = DocumentField(default=list)
        at = MomentField()

        class Meta:
            database = db
            table_name = "host_address"

    db.create_tables([HostAddress])

    class LinkStretch(Model):
        link = CharField()
        up = BooleanField()
        since = MomentField(index=True)
        until = MomentField(null=True)
        looked_at = MomentField()
        seen = TextField(default="")

        class Meta:
            database = db
            table_name = "link_stretch"
            indexes = ((("link", "since"), True),)

    db.create_tables([LinkStretch])

    class RateReading(Model):
        at = MomentField(index=True)
        mbit = FloatField(null=True)
        trouble = TextField(default="")

        class Meta:
            database = db
            table_name = "rate_reading"

    db.create_tables([RateReading])

    class SelfTest(Model):
        kind = CharField()
        started_at = MomentField(index=True)
        ok = BooleanField()
        failed = CharField(default="")
        seen = TextField(default="")
        steps = DocumentField(default=list)
        call_id = CharField(default="")

        class Meta:
            database = db
            table_name = "self_test"

    db.create_tables([SelfTest])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("self_test"))
    migrator.migrate(migrator.drop_table("rate_reading"))
    migrator.migrate(migrator.drop_table("link_stretch"))
    migrator.migrate(migrator.drop_table("host_address"))
