"""Second factors, which authenticate a user in addition to the password."""

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Authenticator(Table):
    """The app on a user's telephone that shows a new code every half minute."""

    user = ForeignKeyField(User, unique=True, backref="authenticators", on_delete="CASCADE")
    secret = CharField()  # as in the app, in base 32
    made_at = MomentField()
    last_step = IntegerField()  # the half minute of the last accepted code


class RecoveryCode(Table):
    """A code on paper, accepted once instead of the app's."""

    user = ForeignKeyField(User, backref="recovery_codes", on_delete="CASCADE")
    hash = CharField()
    used_at = MomentField(null=True)


class Passkey(Table):
    """A key in a user's telephone, computer or USB stick that signs challenges."""

    user = ForeignKeyField(User, backref="passkeys", on_delete="CASCADE")
    credential = CharField(unique=True)  # its id, base64url
    public_key = TextField()  # COSE, base64url
    sign_count = IntegerField()  # how often it has signed; 0 if the key does not count that
    made_at = MomentField()
    used_at = MomentField(null=True)
