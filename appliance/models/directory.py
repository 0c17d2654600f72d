"""The employees to whom operators transfer callers."""

from peewee import BooleanField, CharField, ForeignKeyField

from appliance.core.tables import Table


class Employee(Table):
    """An employee of the ministry to whom callers are transferred. Rows are never deleted."""

    name = CharField()
    position = CharField(default="")
    department = CharField(default="")
    number = CharField(index=True)  # as dialled
    hours = CharField(default="")  # 09:00-18:00 on working days; empty: always
    substitute = ForeignKeyField("self", null=True, on_delete="SET NULL")
    active = BooleanField(default=True)
    search_key = CharField()  # name, department, position and number, folded for searching
