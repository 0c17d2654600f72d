"""Phones that fetch their settings by an address of their own; what supervisors tell operators."""

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

    class Announcement(Model):
        sender = ForeignKeyField(User, on_delete="RESTRICT")
        text = TextField()
        sent_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "announcement"

    class AnnouncementReader(Model):
        announcement = ForeignKeyField(Announcement, on_delete="CASCADE")
        user = ForeignKeyField(User, on_delete="RESTRICT")
        read_at = MomentField(null=True, index=True)

        class Meta:
            database = db
            table_name = "announcement_reader"
            indexes = ((("user", "announcement"), True),)

    db.create_tables([DeskPhone, Announcement, AnnouncementReader])


def down(migrator, db):
    for table in ("announcement_reader", "announcement", "desk_phone"):
        migrator.migrate(migrator.drop_table(table))
