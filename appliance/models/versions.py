"""The columns of every version that the manager writes and the ministry approves."""

from typing import ClassVar

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.changes import ChangeRequest


class Version(Table):
    """Base class of tables of versions. Rows are changed by casework.versions only."""

    # name of the foreign key to the article or script that it is a version of
    owner_column: ClassVar[str]

    number = IntegerField()  # 1, 2, … of its owner
    state = CharField(default="draft")  # draft, or where a move of casework.versions leads
    # counts its changes: an update based on another revision is refused
    revision = IntegerField(default=1)
    made_at = MomentField()
    by = CharField(default="")  # login of its last writer; "" for built-in ones
    decided_at = MomentField(null=True)  # when the ministry approved or returned it
    decided_by = CharField(default="")  # login
    words = TextField(default="")  # the remark with which it was returned
    since = MomentField(null=True)  # in force from here; null: not put in force
    until = MomentField(null=True)  # in force until here; null: no end
    request = ForeignKeyField(ChangeRequest, null=True, on_delete="RESTRICT", backref="+")
