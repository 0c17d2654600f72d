# Generated from a schema diff on 2026-11-26 09:24.
from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class Alarm(Model):
        code = CharField(primary_key=True)
        since = MomentField()
        told_at = MomentField(null=True)
        well_since = MomentField(null=True)

        class Meta:
            database = db
            table_name = "alarm"

    db.create_tables([Alarm])

    class CheckState(Model):
        code = CharField(primary_key=True)
        name = CharField()
        state = CharField()
        seen = TextField(default="")
        advice = TextField(default="")
        values = DocumentField(default=dict)
        since = MomentField()
        looked_at = MomentField()

        class Meta:
            database = db
            table_name = "check_state"

    db.create_tables([CheckState])

    class ProcessState(Model):
        name = CharField(primary_key=True)
        holder = CharField(default="")
        version = CharField(default="")
        since = MomentField()

        class Meta:
            database = db
            table_name = "process_state"

    db.create_tables([ProcessState])

    class SpanState(Model):
        number = IntegerField(primary_key=True)
        trunk = CharField(default="")
        alarm = CharField(default="")
        d_channel = BooleanField(default=True)
        since = MomentField()
        error = TextField(default="")
        error_at = MomentField(null=True)
        channels = DocumentField(default=dict)

        class Meta:
            database = db
            table_name = "span_state"

    db.create_tables([SpanState])

    class LineTrial(Model):
        trunk = CharField(index=True)
        span = IntegerField(null=True)
        number = CharField()
        by = CharField()
        at = MomentField()
        ended_at = MomentField(null=True)
        result = CharField(default="")
        cause = CharField(default="")
        seconds = FloatField(null=True)

        class Meta:
            database = db
            table_name = "line_trial"

    db.create_tables([LineTrial])

    class TrunkState(Model):
        name = CharField(primary_key=True)
        state = CharField()
        since = MomentField()
        registration = CharField(default="")
        registered_since = MomentField(null=True)
        round_trip = IntegerField(null=True)
        error = TextField(default="")
        error_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "trunk_state"

    db.create_tables([TrunkState])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("trunk_state"))
    migrator.migrate(migrator.drop_table("line_trial"))
    migrator.migrate(migrator.drop_table("span_state"))
    migrator.migrate(migrator.drop_table("process_state"))
    migrator.migrate(migrator.drop_table("check_state"))
    migrator.migrate(migrator.drop_table("alarm"))
