"""What every version has that the manager writes and the ministry approves."""

from typing import ClassVar

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.changes import ChangeRequest


class Version(Table):
    """The columns of a version; a table of its own inherits them. Changed by casework.versions."""

    thing: ClassVar[str]  # the foreign key to what it is a version of

    number = IntegerField()  # 1, 2, … of its thing
    state = CharField(default="draft")  # casework.versions.STATES
    revision = IntegerField(default=1)  # counts its changes: one is refused that saw another
    made_at = MomentField()
    by = CharField(default="")  # login of who wrote it last; "" for what comes with the product
    decided_at = MomentField(null=True)  # when the ministry approved or returned it
    decided_by = CharField(default="")  # login
    words = TextField(default="")  # with which it was returned
    since = MomentField(null=True)  # in force from here; null: it is not put in force
    until = MomentField(null=True)  # in force until here; null: without an end
    request = ForeignKeyField(ChangeRequest, null=True, on_delete="RESTRICT", backref="+")
