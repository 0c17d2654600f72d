"""Refused forms, stored until the page with the reason is left."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User


class RefusedForm(Table):
    """The values of a form that could not be processed, until the page with the reason is left."""

    token = CharField(primary_key=True)
    user = ForeignKeyField(User, backref="refused_forms", on_delete="CASCADE")
    address = CharField()  # the path to which it was sent
    trouble = CharField()  # code of the reason
    values = DocumentField()  # field → the texts sent under its name
    at = MomentField(index=True)
