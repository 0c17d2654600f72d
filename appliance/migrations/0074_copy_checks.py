"""What came of restores of the continuous copy for trial."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class CopyCheck(Model):
        started_at = MomentField(index=True)
        ended_at = MomentField(null=True)
        state = CharField(default="running")
        trouble = CharField(default="")
        said = TextField(default="")
        counts = DocumentField(default=dict)
        seconds = FloatField(default=0.0)

        class Meta:
            database = db
            legacy_table_names = False

    db.create_tables([CopyCheck])


def down(migrator, db):
    db.execute_sql('DROP TABLE "copy_check"')
