"""What stands in Asterisk's logs and cannot be taken in is set aside."""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Quarantined(Model):
        hash = CharField(primary_key=True, unique=True)
        kind = CharField()
        file = CharField()
        position = BigIntegerField()
        size = BigIntegerField()
        beginning = BlobField()
        linkedid = CharField(null=True, index=True)
        noted_at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "quarantined"

    db.create_tables([Quarantined])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("quarantined"))
