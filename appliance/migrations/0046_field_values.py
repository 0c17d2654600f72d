"""What was chosen in added fields of the forms of calls, so that a database can count it."""

import json

from peewee import *

_COUNTED = ("choice", "list", "place", "tick")
_UNLISTED = "*"


def up(migrator, db):
    class FieldValue(Model):
        form = CharField()
        number = CharField()
        call_id = CharField()
        field = CharField()
        code = CharField()

        class Meta:
            database = db
            table_name = "field_value"
            indexes = (
                (("number", "field"), True),
                (("call_id", "form", "field", "number"), False),
            )

    class FormVersion(Model):
        form = CharField()
        number = IntegerField()
        fields = TextField()

        class Meta:
            database = db
            table_name = "form_version"

    class Appeal(Model):
        number = CharField()
        call_id = CharField(null=True)
        extra = TextField()
        version = IntegerField(column_name="form_version")

        class Meta:
            database = db
            table_name = "appeal"

    class CallForm(Model):
        number = CharField()
        call_id = CharField()
        extra = TextField()
        version = IntegerField()

        class Meta:
            database = db
            table_name = "call_form"

    db.create_tables([FieldValue])
    counted = {
        (version.form, version.number): {
            field["name"]
            for field in json.loads(version.fields).get("fields", [])
            if field["kind"] in _COUNTED and not field.get("personal")
        }
        for version in FormVersion.select()
    }
    for form, table in (("1", Appeal), ("2", CallForm)):
        last = 0
        while piece := list(
            table.select()
            .where(table.id > last, table.call_id.is_null(False), table.extra != "{}")
            .order_by(table.id)
            .limit(500)
        ):
            last = piece[-1].id
            values = [
                {
                    "form": form,
                    "number": row.number,
                    "call_id": row.call_id,
                    "field": name,
                    "code": held["code"] or _UNLISTED,
                }
                for row in piece
                for name, held in json.loads(row.extra).items()
                if name in counted.get((form, row.version), ())
            ]
            for begin in range(0, len(values), 100):
                FieldValue.insert_many(values[begin : begin + 100]).execute()


def down(migrator, db):
    migrator.migrate(migrator.drop_table("field_value"))
