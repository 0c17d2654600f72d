"""Lines to the carriers as last reported by Asterisk, and test calls over them."""

from peewee import AutoField, BooleanField, CharField, FloatField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class TrunkState(Table):
    """A SIP trunk as last reported by Asterisk."""

    name = CharField(primary_key=True)
    state = CharField()  # up | down | unasked
    since = MomentField()
    registration = CharField(default="")  # "" (not required) | Registered | Rejected | …
    registered_since = MomentField(null=True)  # when `registration` changed to this value
    round_trip = IntegerField(null=True)  # milliseconds
    error = TextField(default="")  # the last error
    error_at = MomentField(null=True)


class SpanState(Table):
    """An E1 span as last reported by Asterisk."""

    number = IntegerField(primary_key=True)
    trunk = CharField(default="")  # the plan's trunk that uses its channels
    alarm = CharField(default="")  # "" | Red Alarm | Yellow Alarm | …
    d_channel = BooleanField(default=True)  # up
    since = MomentField()  # when `alarm` or `d_channel` last changed
    error = TextField(default="")
    error_at = MomentField(null=True)
    # by timeslot: {"state": free | busy | alarm, "since": …}
    channels = DocumentField(default=dict)


class LineTrial(Table):
    """A test call over one trunk or span; the ledger does not contain it."""

    id = AutoField()
    trunk = CharField(index=True)
    span = IntegerField(null=True)
    number = CharField()
    by = CharField()  # login
    at = MomentField()
    ended_at = MomentField(null=True)
    result = CharField(default="")  # Asterisk's DIALSTATUS; "" while it is in progress
    cause = CharField(default="")  # Q.850
    seconds = FloatField(null=True)  # from dialling to the answer
