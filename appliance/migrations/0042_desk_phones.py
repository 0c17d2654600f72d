"""The phones on people's desks, which fetch their settings by an address of their own."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class DeskPhone(Model):
        user = ForeignKeyField(User, unique=True, on_delete="RESTRICT")
        make = CharField()
        mac = CharField(unique=True)
        token_hash = CharField(null=True, unique=True)
        token_ends_at = MomentField(null=True)
        token_used = BooleanField(default=False)
        set_up_at = MomentField(null=True)
        set_up_from = CharField(default="")
        book_hash = CharField(null=True, unique=True)

        class Meta:
            database = db
            table_name = "desk_phone"

    db.create_tables([DeskPhone])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("desk_phone"))
