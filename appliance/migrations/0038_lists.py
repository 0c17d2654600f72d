"""Lists have names and may be the site's own; a value may be in use between two days."""

from peewee import *


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

    db.create_tables([Catalog])
    migrator.migrate(
        migrator.add_column("catalog_item", "active_from", DateField(null=True)),
        migrator.add_column("catalog_item", "active_until", DateField(null=True)),
    )


def down(migrator, db):
    migrator.migrate(
        migrator.drop_column("catalog_item", "active_until"),
        migrator.drop_column("catalog_item", "active_from"),
        migrator.drop_table("catalog"),
    )
