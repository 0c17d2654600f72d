"""What the exchange's lines do."""

from peewee import BooleanField, CharField, IntegerField

from appliance.core.tables import MomentField, Table


class Device(Table):
    """A trunk or a phone as Asterisk saw it last."""

    name = CharField(primary_key=True)  # the trunk's name, the phone's extension
    kind = CharField()  # trunk | phone
    up = BooleanField()  # reachable
    since = MomentField()  # when it became so
    channels = IntegerField()  # legs of calls on it
