"""The state of trunks and phones, and the quality of calls in the browser."""

from peewee import BooleanField, CharField, FloatField, IntegerField

from appliance.core.tables import MomentField, Table


class Device(Table):
    """A trunk or a phone as last seen by Asterisk."""

    name = CharField(primary_key=True)  # the trunk's name, the phone's extension
    kind = CharField()  # trunk | phone
    up = BooleanField()  # reachable
    since = MomentField()  # when it changed to this state
    channels = IntegerField()  # call legs on it


class LineQuality(Table):
    """The quality of one talk on a phone in a page, as the browser measured it; never changed."""

    call_id = CharField(index=True)  # Call.id; the ledger may not have it yet
    operator = CharField()  # login
    at = MomentField(index=True)  # when the talk ended
    seconds = IntegerField()  # measured seconds of talk
    loss = FloatField()  # percent of the expected packets
    jitter = FloatField()  # milliseconds, mean
    delay = FloatField(null=True)  # milliseconds round trip, mean; NULL: not measured
