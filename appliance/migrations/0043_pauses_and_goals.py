"""How long a day's pauses of a reason may be, and what an operator's day should come to."""

from peewee import *


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class PauseLimit(Model):
        reason = CharField(primary_key=True)
        minutes = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "pause_limit"

    class Goal(Model):
        user = ForeignKeyField(User, unique=True, null=True, on_delete="RESTRICT")
        calls = IntegerField(null=True)
        mark = FloatField(null=True)
        forms = IntegerField(null=True)

        class Meta:
            database = db
            table_name = "goal"

    db.create_tables([PauseLimit, Goal])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("goal"), migrator.drop_table("pause_limit"))
