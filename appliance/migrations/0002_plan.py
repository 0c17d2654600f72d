"""The plan of the telephony, in versions."""

from peewee import *

from appliance.models.base import DocumentField, MomentField


def up(migrator, db):
    class PlanVersion(Model):
        id = AutoField()
        saved_at = MomentField()
        author = CharField()
        note = TextField(default="")
        document = DocumentField()

        class Meta:
            database = db
            table_name = "plan_version"

    db.create_tables([PlanVersion])


def down(migrator, db):
    migrator.drop_table("plan_version")
