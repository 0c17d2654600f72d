"""By what parties outside know the people who work here."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Identity(Table):
    """Whom a party calls so signs in as this person."""

    user = ForeignKeyField(User, backref="identities", on_delete="CASCADE")
    source = CharField()  # openid | ldap
    subject = CharField()
    made_at = MomentField()

    class Meta:
        indexes = ((("source", "subject"), True), (("user", "source"), True))
