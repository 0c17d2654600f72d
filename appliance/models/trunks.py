"""Lines to the carriers as Asterisk told of them, and calls to try one."""

from peewee import AutoField, BooleanField, CharField, FloatField, IntegerField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class TrunkState(Table):
    """A SIP trunk as Asterisk told of it last."""

    name = CharField(primary_key=True)
    state = CharField()  # up | down | unasked
    since = MomentField()
    registration = CharField(default="")  # "" (none is needed) | Registered | Rejected | …
    registered_since = MomentField(null=True)  # since when it is as `registration` says
    round_trip = IntegerField(null=True)  # milliseconds
    error = TextField(default="")  # what went wrong last
    error_at = MomentField(null=True)


class SpanState(Table):
    """An E1 span as Asterisk told of it last."""

    number = IntegerField(primary_key=True)
    trunk = CharField(default="")  # of the plan, that uses its channels
    alarm = CharField(default="")  # "" | Red Alarm | Yellow Alarm | …
    d_channel = BooleanField(default=True)  # up
    since = MomentField()  # when one of the two became as it is
    error = TextField(default="")
    error_at = MomentField(null=True)
    channels = DocumentField(default=dict)  # timeslot → {"state": free | busy | alarm, "since"}


class LineTrial(Table):
    """A call placed over one trunk or span to try it; no call of the ledger."""

    id = AutoField()
    trunk = CharField(index=True)
    span = IntegerField(null=True)
    number = CharField()
    by = CharField()  # login
    at = MomentField()
    ended_at = MomentField(null=True)
    result = CharField(default="")  # Asterisk's DIALSTATUS; "" while it goes on
    cause = CharField(default="")  # Q.850
    seconds = FloatField(null=True)  # from dialling to the answer
