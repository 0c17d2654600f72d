"""Stretches of talks in which the operator was away and the caller was kept for him."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Talk(Model):
        class Meta:
            database = db
            table_name = "talk"

    class Gap(Model):
        talk = ForeignKeyField(Talk, on_delete="CASCADE")
        started_at = MomentField()
        ended_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "gap"

    db.create_tables([Gap])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("gap"))
