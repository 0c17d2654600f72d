"""Tariffs; an operator's missed rings found by an index."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Tariff(Model):
        direction = CharField()
        trunk = CharField(default="")
        number = CharField(default="")
        rounding = CharField()
        price = IntegerField()
        valid_from = DateField(index=True)
        valid_to = DateField(null=True)
        made_by = CharField()
        made_at = MomentField()

        class Meta:
            database = db
            table_name = "tariff"

    db.create_tables([Tariff])
    migrator.migrate(migrator.add_index("ring", ("operator", "started_at")))


def down(migrator, db):
    migrator.migrate(migrator.drop_index("ring", "ring_operator_started_at"))
    migrator.migrate(migrator.drop_table("tariff"))
