"""The states that operators choose."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Presence(Table):
    """A state that an operator took at a moment; the newest row is the one in force."""

    user = ForeignKeyField(User, backref="presences", on_delete="RESTRICT")
    state = CharField()  # presence.STATES: ready | pause | off
    since = MomentField()
    reason = CharField(default="")  # presence.NO_ANSWER, FORCED
    by = CharField(default="")  # who set it; empty in rows from before this was kept

    class Meta:
        indexes = ((("user", "since"), False),)
