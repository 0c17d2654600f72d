"""Whom operators pass callers on to, and what the exchange's lines do."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField

from appliance.models.base import MomentField, Table


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


class Device(Table):
    """A trunk or a phone as Asterisk saw it last."""

    name = CharField(primary_key=True)  # the trunk's name, the phone's extension
    kind = CharField()  # trunk | phone
    up = BooleanField()  # reachable
    since = MomentField()  # when it became so
    channels = IntegerField()  # legs of calls on it
