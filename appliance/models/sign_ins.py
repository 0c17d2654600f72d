"""Passwords that were wrong of late."""

from peewee import CharField

from appliance.core.tables import MomentField, Table


class SignInAttempt(Table):
    """A password that was wrong, or that is being looked at, within the last hour."""

    login = CharField(index=True)  # as it was typed; perhaps nobody's
    address = CharField(index=True)
    device = CharField(default="")  # one on which this person signed in before; else ""
    at = MomentField(index=True)
