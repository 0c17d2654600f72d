"""The phones on people's desks, and the addresses from which they fetch their settings."""

from peewee import BooleanField, CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class DeskPhone(Table):
    """One user's phone. Only hashes of its secret addresses are stored."""

    user = ForeignKeyField(User, unique=True, on_delete="RESTRICT")
    make = CharField()  # desk_phones.PHONE_MAKERS
    mac = CharField(unique=True)  # twelve hexadecimal digits in lower case
    token_hash = CharField(null=True, unique=True)  # SHA-256; null: no address was issued
    token_ends_at = MomentField(null=True)
    # True: the settings were fetched from the address, so it cannot be used again
    token_used = BooleanField(default=False)
    set_up_at = MomentField(null=True)  # when the phone last fetched its settings
    set_up_from = CharField(default="")  # the address of that request
    # SHA-256 of the secret in its phone book's address
    book_hash = CharField(null=True, unique=True)
