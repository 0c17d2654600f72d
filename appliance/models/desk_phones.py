"""The phones on people's desks, and by which address each takes its settings."""

from peewee import BooleanField, CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class DeskPhone(Table):
    """One person's phone. Of the addresses given for it only hashes are kept."""

    user = ForeignKeyField(User, unique=True, on_delete="RESTRICT")
    make = CharField()  # desk_phones.MAKES
    mac = CharField(unique=True)  # twelve hexadecimal digits in small letters
    token_hash = CharField(null=True, unique=True)  # SHA-256; null: no address was given
    token_ends_at = MomentField(null=True)
    token_used = BooleanField(default=False)  # it gave the settings, and gives them no more
    set_up_at = MomentField(null=True)  # when the phone took its settings last
    set_up_from = CharField(default="")  # the address that asked
    book_hash = CharField(null=True, unique=True)  # SHA-256 of what its phone book is asked by
