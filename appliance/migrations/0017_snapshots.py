# Generated from a schema diff on 2026-11-26 09:30.
from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class SnapshotRun(Model):
        kind = CharField()
        repository = CharField()
        snapshot = CharField(default="")
        started_at = MomentField(index=True)
        ended_at = MomentField(null=True)
        state = CharField()
        verified = BooleanField(default=False)
        bytes_added = BigIntegerField(default=0)
        bytes_total = BigIntegerField(default=0)
        trouble = CharField(default="")
        said = TextField(default="")
        detail = DocumentField(default=dict)
        by = CharField(default="")

        class Meta:
            database = db
            table_name = "snapshot_run"

    db.create_tables([SnapshotRun])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("snapshot_run"))
