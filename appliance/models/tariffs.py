"""What a minute of talk costs."""

from peewee import CharField, DateField, IntegerField

from appliance.core.tables import MomentField, Table


class Tariff(Table):
    """The price of talk on a trunk, valid from a day on. Never changed: closed, and a new one made.

    An empty trunk or number stands for every one.
    """

    direction = CharField()  # inbound | outbound
    trunk = CharField(default="")
    number = CharField(default="")  # that the citizen dialled
    rounding = CharField()  # tariffs.ROUNDINGS
    price = IntegerField()  # tiyin for a minute, or for a call
    valid_from = DateField(index=True)
    valid_to = DateField(null=True)  # the last day; null: until further notice
    made_by = CharField()  # login
    made_at = MomentField()
