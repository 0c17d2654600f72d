"""Forms that were refused, until the page that says why is left."""

from peewee import CharField, ForeignKeyField

from appliance.core.tables import DocumentField, MomentField, Table
from appliance.models.accounts import User


class RefusedForm(Table):
    """What a person sent that could not be done, until the page that says why is left."""

    token = CharField(primary_key=True)
    user = ForeignKeyField(User, backref="refused_forms", on_delete="CASCADE")
    address = CharField()  # the path it was sent to
    trouble = CharField()  # code of why
    values = DocumentField()  # field → the texts sent under its name
    at = MomentField(index=True)
