"""The states that operators choose, how long pauses may last, what a day should come to."""

from peewee import CharField, FloatField, ForeignKeyField, IntegerField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Presence(Table):
    """A state that an operator took at a moment; the newest row is the one in force."""

    user = ForeignKeyField(User, backref="presences", on_delete="RESTRICT")
    state = CharField()  # presence.STATES: ready | pause | back_office | off
    since = MomentField()
    reason = CharField(default="")  # of a pause: a code of its list, or presence.NO_ANSWER, FORCED
    by = CharField(default="")  # who set it; empty in rows from before this was kept

    class Meta:
        indexes = ((("user", "since"), False),)


class PauseLimit(Table):
    """How many minutes of a day an operator may be on a pause of a reason."""

    reason = CharField(primary_key=True)  # a code of the list of reasons
    minutes = IntegerField(null=True)  # null: as many as it takes


class Goal(Table):
    """What an operator's day should come to; null: no goal of his own."""

    user = ForeignKeyField(User, unique=True, null=True, on_delete="RESTRICT")  # null: everybody's
    calls = IntegerField(null=True)  # answered
    mark = FloatField(null=True)  # mean, 1 to 5
    forms = IntegerField(null=True)  # per cent of his calls that are registered
