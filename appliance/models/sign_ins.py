"""Recent sign-in attempts with a wrong password."""

from peewee import CharField

from appliance.core.tables import MomentField, Table


class SignInAttempt(Table):
    """A wrong password, or one that is being checked, within the last hour."""

    login = CharField(index=True)  # as typed; it may belong to nobody
    address = CharField(index=True)
    device = CharField(default="")  # one on which this user signed in before; else ""
    at = MomentField(index=True)
