"""The departments of the ministry and their members."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField

from appliance.core.tables import Table
from appliance.models.accounts import User
from appliance.models.catalogs import Named


class Department(Named):
    """A part of the ministry that answers appeals, or a separate body under it."""

    code = CharField(unique=True)
    position = IntegerField()
    # a separate body: its term starts again when an appeal reaches it
    own_body = BooleanField(default=False)
    active = BooleanField(default=True)


class DirectionRoute(Table):
    """The department that receives appeals of a direction."""

    direction = CharField(primary_key=True)  # code in the list `direction`
    department = ForeignKeyField(Department, backref="routes", on_delete="CASCADE")


class Membership(Table):
    """The department of a ministry's user; a user without a row sees the appeals of all."""

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    department = ForeignKeyField(Department, backref="members", on_delete="RESTRICT")
