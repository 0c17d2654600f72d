"""The network links of the box to the outside: when each was up or down, and the speed."""

from peewee import BooleanField, CharField, FloatField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class LinkStretch(Table):
    """A period in which a link was up, or down."""

    link = CharField()
    up = BooleanField()
    since = MomentField(index=True)
    until = MomentField(null=True)  # NULL: still the case
    looked_at = MomentField()  # when a check confirmed it last
    seen = TextField(default="")  # what the check observed when the period began

    class Meta:
        indexes = ((("link", "since"), True),)


class RateReading(Table):
    """One measurement of the internet's download speed."""

    at = MomentField(index=True)
    mbit = FloatField(null=True)  # Mbit/s; NULL: the measurement failed
    trouble = TextField(default="")


class HostAddress(Table):
    """The addresses of a carrier's host name when it was last resolved."""

    name = CharField(unique=True)
    addresses = DocumentField(default=list)
    at = MomentField()
