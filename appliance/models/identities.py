"""The identities of users at external identity providers."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Identity(Table):
    """The name (`subject`) by which an identity provider identifies a user."""

    user = ForeignKeyField(User, backref="identities", on_delete="CASCADE")
    source = CharField()  # openid | ldap
    subject = CharField()
    made_at = MomentField()

    class Meta:
        indexes = ((("source", "subject"), True), (("user", "source"), True))
