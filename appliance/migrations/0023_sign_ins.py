"""Sessions that can be ended, and attempts to sign in that outlive the process."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    migrator.migrate(migrator.add_column("user", "session_number", IntegerField(default=0)))

    class SignInAttempt(Model):
        login = CharField(index=True)
        address = CharField(index=True)
        device = CharField(default="")
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "sign_in_attempt"

    db.create_tables([SignInAttempt])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("sign_in_attempt"))
    migrator.migrate(migrator.drop_column("user", "session_number"))
