"""The links that leave the box: when each was up and down, how fast the internet is."""

from peewee import BooleanField, CharField, FloatField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class LinkStretch(Table):
    """A time in which a link was up, or down."""

    link = CharField()
    up = BooleanField()
    since = MomentField(index=True)
    until = MomentField(null=True)  # NULL: it goes on
    looked_at = MomentField()  # the last look that found it so
    seen = TextField(default="")  # what was seen when it began

    class Meta:
        indexes = ((("link", "since"), True),)


class RateReading(Table):
    """One measurement of how fast the internet brings something here."""

    at = MomentField(index=True)
    mbit = FloatField(null=True)  # Mbit/s; NULL: it could not be measured
    trouble = TextField(default="")


class HostAddress(Table):
    """The addresses that a carrier's name had when it was last asked for."""

    name = CharField(unique=True)
    addresses = DocumentField(default=list)
    at = MomentField()
