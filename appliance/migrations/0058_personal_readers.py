"""Who is named to read a personal appeal."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Appeal(Model):
        class Meta:
            database = db
            table_name = "appeal"

    class AppealReader(Model):
        appeal = ForeignKeyField(Appeal, on_delete="CASCADE")
        login = CharField(index=True)
        at = MomentField()
        by = CharField()

        class Meta:
            database = db
            table_name = "appeal_reader"
            indexes = ((("appeal", "login"), True),)

    db.create_tables([AppealReader])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("appeal_reader"))
