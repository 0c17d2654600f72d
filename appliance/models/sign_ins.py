"""Recent failed sign-in attempts."""

from peewee import CharField

from appliance.core.tables import MomentField, Table


class SignInAttempt(Table):
    """A sign-in attempt of the last hour that failed, or that is being checked."""

    login = CharField(index=True)  # as typed, so it may belong to nobody; prefixed for PIN or code
    address = CharField(index=True)
    device = CharField(default="")  # one on which this user signed in before; else ""
    at = MomentField(index=True)
