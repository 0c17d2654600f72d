"""The prices of calls."""

from peewee import CharField, DateField, IntegerField

from appliance.core.tables import MomentField, Table


class Tariff(Table):
    """The price of calls over a trunk, valid from a given day.

    Rows are not changed: a new row replaces an earlier one. An empty trunk or number means all.
    """

    direction = CharField()  # inbound | outbound
    trunk = CharField(default="")
    number = CharField(default="")  # the number that the citizen dialled
    rounding = CharField()  # tariffs.ROUNDINGS
    price = IntegerField()  # tiyin for a minute, or for a call
    valid_from = DateField(index=True)
    valid_to = DateField(null=True)  # the last day; null: until further notice
    made_by = CharField()  # login
    made_at = MomentField()
