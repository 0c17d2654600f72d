"""Lists have names and may be the site's own; a value may be in use between two days.

Each consultation that was asked for is followed up until its outcome is known; of those before, the
ones with a specialist noted count as done.
"""

from peewee import *

from appliance.core.tables import MomentField


def up(migrator, db):
    class Catalog(Model):
        name_uz_latn = CharField()
        name_uz_cyrl = CharField()
        name_ru = CharField(default="")
        code = CharField(primary_key=True)
        position = IntegerField()
        own = BooleanField(default=False)

        class Meta:
            database = db
            table_name = "catalog"

    class Appeal(Model):
        registered_at = MomentField()
        consultation = BooleanField()
        consultation_contact = TextField()

        class Meta:
            database = db
            table_name = "appeal"

    class Consultation(Model):
        appeal = ForeignKeyField(Appeal, primary_key=True, on_delete="RESTRICT")
        asked_at = MomentField()
        contacted_at = MomentField(null=True)
        result = TextField(default="")
        done_at = MomentField(null=True)
        done_by = CharField(default="")

        class Meta:
            database = db
            table_name = "consultation"
            indexes = ((("done_at", "asked_at"), False),)

    db.create_tables([Catalog, Consultation])
    contacted = Case(None, ((Appeal.consultation_contact != "", Appeal.registered_at),), None)
    columns = {
        Consultation.appeal: Appeal.id,
        Consultation.asked_at: Appeal.registered_at,
        Consultation.contacted_at: contacted,
        Consultation.result: Value(""),
        Consultation.done_at: contacted,
        Consultation.done_by: Value(""),
    }
    asked = Appeal.select(*columns.values()).where(Appeal.consultation != 0)
    Consultation.insert_from(asked, [*columns]).execute()
    migrator.migrate(
        migrator.add_column("catalog_item", "active_from", DateField(null=True)),
        migrator.add_column("catalog_item", "active_until", DateField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("catalog_item", "active_until"),
        migrator.drop_column("catalog_item", "active_from"),
        migrator.drop_table("catalog"),
        migrator.drop_table("consultation"),
    )
