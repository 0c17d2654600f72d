"""Where an operator's phone is, on the desk or in his page, and how well it is heard there."""

from peewee import *

from appliance.core.tables import MomentField

COLUMNS = {
    "phone": CharField(default="desk"),
    "phone_page": CharField(null=True),
    "auto_answer": BooleanField(default=False),
}


def up(migrator, db):
    for name, field in COLUMNS.items():
        migrator.migrate(migrator.add_column("user", name, field))

    class LineQuality(Model):
        call_id = CharField(index=True)
        operator = CharField()
        at = MomentField(index=True)
        seconds = IntegerField()
        loss = FloatField()
        jitter = FloatField()
        delay = FloatField(null=True)

        class Meta:
            database = db
            table_name = "line_quality"

    db.create_tables([LineQuality])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("line_quality"))
    for name in reversed(COLUMNS):
        migrator.migrate(migrator.drop_column("user", name))
