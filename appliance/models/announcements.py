"""Announcements of supervisors on operators' pages."""

from peewee import ForeignKeyField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class Announcement(Table):
    """A text of a supervisor or the manager to operators; it is not deleted."""

    sender = ForeignKeyField(User, on_delete="RESTRICT")
    text = TextField()
    sent_at = MomentField(index=True)


class AnnouncementReader(Table):
    """One operator who received an announcement."""

    announcement = ForeignKeyField(Announcement, backref="readers", on_delete="CASCADE")
    user = ForeignKeyField(User, on_delete="RESTRICT")
    read_at = MomentField(null=True, index=True)  # null: it is shown on their page

    class Meta:
        indexes = ((("user", "announcement"), True),)
