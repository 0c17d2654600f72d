"""The states that operators choose, the limits of pauses, and daily goals."""

from peewee import CharField, FloatField, ForeignKeyField, IntegerField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Presence(Table):
    """A state that an operator entered at a given time; the newest row is the current one."""

    user = ForeignKeyField(User, backref="presences", on_delete="RESTRICT")
    state = CharField()  # presence.STATES: ready | pause | back_office | off
    since = MomentField()
    reason = CharField(default="")  # of a pause: a code of its list, or presence.NO_ANSWER, FORCED
    by = CharField(default="")  # who set it; empty in rows from before this was recorded

    class Meta:
        indexes = ((("user", "since"), False),)


class PauseLimit(Table):
    """How many minutes a day an operator may spend on pauses of one reason."""

    reason = CharField(primary_key=True)  # a code of the list of reasons
    minutes = IntegerField(null=True)  # null: no limit


class Goal(Table):
    """The goals for an operator's day; null: no goal of their own."""

    user = ForeignKeyField(User, unique=True, null=True, on_delete="RESTRICT")  # null: for everyone
    calls = IntegerField(null=True)  # answered
    mark = FloatField(null=True)  # mean, 1 to 5
    forms = IntegerField(null=True)  # percent of their calls that are registered
