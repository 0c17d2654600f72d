"""PINs that unlock a page, and the devices on which they are accepted."""

from peewee import CharField, ForeignKeyField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Pin(Table):
    """A user's PIN."""

    user = ForeignKeyField(User, unique=True, backref="pins", on_delete="CASCADE")
    hash = TextField()
    made_at = MomentField()


class Desk(Table):
    """A device on which a user has completed a full sign-in, with every required factor."""

    user = ForeignKeyField(User, backref="desks", on_delete="CASCADE")
    device = CharField()  # the name in the device's own cookie
    proved_at = MomentField()
    factor = CharField()  # the second factor, "" if not used

    class Meta:
        indexes = ((("user", "device"), True),)
