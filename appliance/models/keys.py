"""Keys with which other programs read and answer appeals."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import MomentField, Table
from appliance.models.departments import Department


class AccessKey(Table):
    """The key of one program; of its secret, only the hash is stored."""

    name = CharField(unique=True)
    hash = CharField(unique=True)  # SHA-256 of the secret
    hint = CharField()  # the secret's first letters, to distinguish keys
    scopes = CharField()  # of keys.SCOPES, separated by spaces
    department = ForeignKeyField(Department, null=True, on_delete="RESTRICT")  # null: all
    made_at = MomentField()
    made_by = CharField()
    # null: waits for a second person's confirmation and grants nothing
    confirmed_at = MomentField(null=True)
    confirmed_by = CharField(default="")  # empty: not required
    ends_at = MomentField(null=True)
    revoked_at = MomentField(null=True)
    revoked_by = CharField(default="")
    used_at = MomentField(null=True)
