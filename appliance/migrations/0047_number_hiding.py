"""Whether operators see callers' numbers masked."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class NumberHiding(Model):
        hidden = BooleanField()
        at = MomentField()
        by = CharField()

        class Meta:
            database = db
            table_name = "number_hiding"

    db.create_tables([NumberHiding])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("number_hiding"))
