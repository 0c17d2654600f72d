"""Short numbers that uncover a page, and the desks where they sign in."""

from peewee import CharField, ForeignKeyField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Pin(Table):
    """A person's PIN."""

    user = ForeignKeyField(User, unique=True, backref="pins", on_delete="CASCADE")
    hash = TextField()
    made_at = MomentField()


class Desk(Table):
    """A device on which a person has signed in wholly, with all that was asked for."""

    user = ForeignKeyField(User, backref="desks", on_delete="CASCADE")
    device = CharField()  # the name in the device's own cookie
    proved_at = MomentField()
    factor = CharField()  # what proved him beside the password, "" nothing

    class Meta:
        indexes = ((("user", "device"), True),)
