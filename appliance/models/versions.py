"""The columns that versions of articles and of scripts have in common.

The manager writes a version, and the ministry approves it.
"""

from typing import ClassVar

from peewee import CharField, ForeignKeyField, IntegerField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.changes import ChangeRequest


class Version(Table):
    """Base class of tables of versions. Only casework.versions changes their rows."""

    # name of the foreign key to the owner: the article or script of which it is a version
    owner_column: ClassVar[str]

    number = IntegerField()  # 1, 2, … within its owner
    state = CharField(default="draft")  # a state of casework.versions.WORKFLOW
    # increased with each change; a change based on another revision is refused
    revision = IntegerField(default=1)
    made_at = MomentField()
    by = CharField(default="")  # login of its last writer; "" for built-in ones
    decided_at = MomentField(null=True)  # when the ministry approved or returned it
    decided_by = CharField(default="")  # login
    words = TextField(default="")  # the remark with which it was returned
    since = MomentField(null=True)  # in force from this time; null: not put in force
    until = MomentField(null=True)  # in force until this time; null: no end
    request = ForeignKeyField(ChangeRequest, null=True, on_delete="RESTRICT", backref="+")
