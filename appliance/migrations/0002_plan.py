"""The plan of the telephony, in versions."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


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
    migrator.migrate(migrator.drop_table("plan_version"))
