"""What proves a person beside the password."""

from peewee import CharField, ForeignKeyField, IntegerField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Authenticator(Table):
    """The app on a person's telephone that tells a new code every half minute."""

    user = ForeignKeyField(User, unique=True, backref="authenticators", on_delete="CASCADE")
    secret = CharField()  # as the app has it, in base 32
    made_at = MomentField()
    last_step = IntegerField()  # the half minute of the last code that was taken


class RecoveryCode(Table):
    """A code on paper, taken once instead of the app's."""

    user = ForeignKeyField(User, backref="recovery_codes", on_delete="CASCADE")
    hash = CharField()
    used_at = MomentField(null=True)
