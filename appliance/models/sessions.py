"""Sign-ins that hold."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Session(Table):
    """One sign-in on one device, for as long as it holds; who ends it takes the row away."""

    hash = CharField(unique=True)  # of the secret in the browser's cookie
    user = ForeignKeyField(User, backref="sessions", on_delete="CASCADE")
    begun_at = MomentField(index=True)  # when the password was typed
    seen_at = MomentField()  # when a page was last asked for, to the minute
    address = CharField()  # from where it was last asked for
    agent = CharField()  # what the browser calls itself
    device = CharField()  # the name in the device's own cookie
    locked_at = MomentField(null=True)  # its pages are covered until the person is back
    factor = CharField(default="")  # what proved him beside the password: code | paper | passkey
    source = CharField(default="")  # who knew him: openid; "" the box itself
    challenge = CharField(default="")  # what a passkey was asked to sign, until it is taken
