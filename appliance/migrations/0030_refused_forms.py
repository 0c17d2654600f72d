"""Forms that were sent and could not be done, for the page that says why."""

from peewee import *

from appliance.core.tables import DocumentField, MomentField


def up(migrator, db):
    class User(Model):
        class Meta:
            database = db
            table_name = "user"

    class RefusedForm(Model):
        token = CharField(primary_key=True)
        user = ForeignKeyField(User, on_delete="CASCADE")
        address = CharField()
        trouble = CharField()
        values = DocumentField()
        at = MomentField(index=True)

        class Meta:
            database = db
            table_name = "refused_form"

    db.create_tables([RefusedForm])


def down(migrator, db):
    migrator.migrate(migrator.drop_table("refused_form"))
