# Generated from a schema diff on 2026-11-26 09:26.
from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class MinistryEvent(Model):
        id = CharField(primary_key=True)
        number = CharField(index=True)
        action = CharField()
        outcome = CharField()
        text = TextField(default="")
        at = MomentField()
        seen = BooleanField(default=True)

        class Meta:
            database = db
            table_name = "ministry_event"
            indexes = ((("seen", "at"), False),)

    db.create_tables([MinistryEvent])

    class MinistryLink(Model):
        name = CharField(primary_key=True)
        cursor = CharField(default="")
        trouble = CharField(default="")
        trouble_text = TextField(default="")
        heard_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "ministry_link"

    db.create_tables([MinistryLink])

    class MinistryPackage(Model):
        way = CharField()
        number = IntegerField()
        sha256 = CharField()
        at = MomentField()
        body = TextField(default="")
        receipt_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "ministry_package"
            indexes = ((("way", "number"), True),)

    db.create_tables([MinistryPackage])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("ministry_package"))
    migrator.migrate(migrator.drop_table("ministry_link"))
    migrator.migrate(migrator.drop_table("ministry_event"))
