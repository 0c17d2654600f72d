"""The departments of the ministry, and who belongs to them."""

from peewee import BooleanField, CharField, ForeignKeyField, IntegerField

from appliance.core.tables import Table
from appliance.models.accounts import User
from appliance.models.catalogs import Named


class Department(Named):
    """A part of the ministry that answers appeals, or a body of its own under it."""

    code = CharField(unique=True)
    position = IntegerField()
    own_body = BooleanField(default=False)  # its term begins anew when an appeal reaches it
    active = BooleanField(default=True)


class DirectionRoute(Table):
    """The department that appeals of a direction go to."""

    direction = CharField(primary_key=True)  # code in the list `direction`
    department = ForeignKeyField(Department, backref="routes", on_delete="CASCADE")


class Membership(Table):
    """The department of a ministry's user; who has none sees all of them."""

    user = ForeignKeyField(User, primary_key=True, on_delete="CASCADE")
    department = ForeignKeyField(Department, backref="members", on_delete="RESTRICT")
