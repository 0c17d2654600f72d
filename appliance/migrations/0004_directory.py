"""Employees whom callers are passed on to; trunks and phones as last seen; who paused whom."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Device(Model):
        name = CharField(primary_key=True)
        kind = CharField()
        up = BooleanField()
        since = MomentField()
        channels = IntegerField()

        class Meta:
            database = db
            table_name = "device"

    db.create_tables([Device])

    class Employee(Model):
        name = CharField()
        position = CharField(default="")
        department = CharField(default="")
        number = CharField(index=True)
        hours = CharField(default="")
        substitute = ForeignKeyField("self", null=True, on_delete="SET NULL")
        active = BooleanField(default=True)
        search_key = CharField()

        class Meta:
            database = db
            table_name = "employee"

    db.create_tables([Employee])

    migrator.migrate(migrator.add_column("presence", "reason", CharField(default="")))
    migrator.migrate(migrator.add_column("presence", "by", CharField(default="")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("presence", "by"))
    migrator.migrate(migrator.drop_column("presence", "reason"))
    migrator.migrate(migrator.drop_table("employee"))
    migrator.migrate(migrator.drop_table("device"))
