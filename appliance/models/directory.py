"""Whom operators pass callers on to."""

from peewee import BooleanField, CharField, ForeignKeyField

from appliance.core.tables import Table


class Employee(Table):
    """Somebody of the ministry to whom callers are passed on; switched off, never deleted."""

    name = CharField()
    position = CharField(default="")
    department = CharField(default="")
    number = CharField(index=True)  # as it is dialled
    hours = CharField(default="")  # 09:00-18:00 on working days; empty: always
    substitute = ForeignKeyField("self", null=True, on_delete="SET NULL")
    active = BooleanField(default=True)
    search_key = CharField()  # i18n.fold of name, department and number
