"""People known to parties outside, and by what a sign-in began."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Identity(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        source = CharField()
        subject = CharField()
        made_at = MomentField()

        class Meta:
            database = db
            table_name = "identity"
            indexes = ((("source", "subject"), True), (("user", "source"), True))

    db.create_tables([Identity])
    migrator.migrate(migrator.add_column("session", "source", CharField(default="")))


def down(migrator, db):
    migrator.migrate(migrator.drop_column("session", "source"))
    migrator.migrate(migrator.drop_table("identity"))
