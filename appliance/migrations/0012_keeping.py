# Generated from a schema diff on 2026-11-26 07:00.
from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class DiskReading(Model):
        disk = CharField()
        day = DateField()
        used = BigIntegerField()
        total = BigIntegerField()

        class Meta:
            database = db
            table_name = "disk_reading"
            indexes = ((("disk", "day"), True),)

    db.create_tables([DiskReading])

    class JobRun(Model):
        name = CharField()
        due_at = MomentField()
        started_at = MomentField(index=True)
        ended_at = MomentField(null=True)
        state = CharField(default="running")
        result = TextField(default="")
        holder = CharField()

        class Meta:
            database = db
            table_name = "job_run"
            indexes = ((("name", "due_at"), True),)

    db.create_tables([JobRun])

    class LegalHold(Model):
        kind = CharField()
        subject = CharField(index=True)
        why = TextField()
        by = CharField()
        since = MomentField()
        ended_at = MomentField(null=True)
        ended_by = CharField(default="")

        class Meta:
            database = db
            table_name = "legal_hold"

    db.create_tables([LegalHold])

    class Removal(Model):
        kind = CharField()
        subject = CharField()
        at = MomentField(index=True)
        rule = CharField()
        detail = DocumentField(default=dict)

        class Meta:
            database = db
            table_name = "removal"
            indexes = ((("kind", "subject"), True),)

    db.create_tables([Removal])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("removal"))
    migrator.migrate(migrator.drop_table("legal_hold"))
    migrator.migrate(migrator.drop_table("job_run"))
    migrator.migrate(migrator.drop_table("disk_reading"))
