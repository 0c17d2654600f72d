"""Sign-ins as rows, each ended by itself; a second factor. Those of before end."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class Session(Model):
        hash = CharField(unique=True)
        user = ForeignKeyField(User, on_delete="CASCADE")
        begun_at = MomentField(index=True)
        seen_at = MomentField()
        address = CharField()
        agent = CharField()
        device = CharField()
        locked_at = MomentField(null=True)
        factor = CharField(default="")
        challenge = CharField(default="")

        class Meta:
            database = db
            table_name = "session"

    class Authenticator(Model):
        user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
        secret = CharField()
        made_at = MomentField()
        last_step = IntegerField()

        class Meta:
            database = db
            table_name = "authenticator"

    class RecoveryCode(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        hash = CharField()
        used_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "recovery_code"

    class Passkey(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        credential = CharField(unique=True)
        public_key = TextField()
        sign_count = IntegerField()
        made_at = MomentField()
        used_at = MomentField(null=True)

        class Meta:
            database = db
            table_name = "passkey"

    class Pin(Model):
        user = ForeignKeyField(User, unique=True, on_delete="CASCADE")
        hash = TextField()
        made_at = MomentField()

        class Meta:
            database = db
            table_name = "pin"

    class Desk(Model):
        user = ForeignKeyField(User, on_delete="CASCADE")
        device = CharField()
        proved_at = MomentField()
        factor = CharField()

        class Meta:
            database = db
            table_name = "desk"
            indexes = ((("user", "device"), True),)

    db.create_tables([Session, Authenticator, RecoveryCode, Passkey, Pin, Desk])
    migrator.migrate(migrator.drop_column("user", "session_number"))


def down(migrator, db):
    migrator.migrate(migrator.add_column("user", "session_number", IntegerField(default=0)))
    for table in ("desk", "pin", "passkey", "recovery_code", "authenticator", "session"):
        migrator.migrate(migrator.drop_table(table))
