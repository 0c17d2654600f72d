"""Submitted forms that were refused, for the page that shows the reason."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User


class RefusedForm(Table):
    """The values of a form that was refused, with the code of the reason."""

    token = CharField(primary_key=True)
    user = ForeignKeyField(User, backref="refused_forms", on_delete="CASCADE")
    address = CharField()  # the path to which it was sent
    trouble = CharField()  # code of the reason
    values = DocumentField()  # the list of texts of each field, by name
    at = MomentField(index=True)
