"""Active sign-ins."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Session(Table):
    """One sign-in on one device, while it is valid; ending it deletes the row."""

    hash = CharField(unique=True)  # of the secret in the browser's cookie
    user = ForeignKeyField(User, backref="sessions", on_delete="CASCADE")
    begun_at = MomentField(index=True)  # when the password was typed
    seen_at = MomentField()  # when a page was last requested, to the minute
    address = CharField()  # the address of the last request
    agent = CharField()  # the browser's User-Agent
    device = CharField()  # the name in the device's own cookie
    locked_at = MomentField(null=True)  # since then, its pages are locked; null: not locked
    factor = CharField(default="")  # the second factor: code | paper | passkey
    source = CharField(default="")  # who authenticated the user: openid; "": the box itself
    challenge = CharField(default="")  # the challenge that a passkey has to sign, until it is used
