"""What the exchange's lines do."""

from peewee import BooleanField, CharField, FloatField, IntegerField

from appliance.core.tables import MomentField, Table


class Device(Table):
    """A trunk or a phone as Asterisk saw it last."""

    name = CharField(primary_key=True)  # the trunk's name, the phone's extension
    kind = CharField()  # trunk | phone
    up = BooleanField()  # reachable
    since = MomentField()  # when it became so
    channels = IntegerField()  # legs of calls on it


class LineQuality(Table):
    """How one talk arrived at a phone in a page, as the browser counted it; never changed."""

    call_id = CharField(index=True)  # Call.id; the ledger may not have it yet
    operator = CharField()  # login
    at = MomentField(index=True)  # when the talk was over
    seconds = IntegerField()  # of talk that were measured
    loss = FloatField()  # percent of the packets that were due
    jitter = FloatField()  # milliseconds, mean
    delay = FloatField(null=True)  # milliseconds there and back, mean; NULL: never measured
