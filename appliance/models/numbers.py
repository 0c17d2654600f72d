"""Data about callers' numbers: notes, scheduled callbacks, whether operators see the numbers."""

from peewee import BooleanField, CharField, ForeignKeyField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class NumberNote(Table):
    """A note for the next operator who talks to a caller with this number."""

    number = CharField(index=True)  # +998…
    text = TextField()
    by = CharField()  # login
    at = MomentField(index=True)
    changed_by = CharField(default="")  # login of the user who corrected it last
    changed_at = MomentField(null=True)
    removed_by = CharField(default="")
    removed_at = MomentField(null=True)


class ScheduledCallback(Table):
    """A number that an operator has promised to call back at a given time."""

    number = CharField()  # +998…
    due_at = MomentField()
    note = TextField(default="")
    operator = ForeignKeyField(User, backref="callbacks", on_delete="RESTRICT", index=False)
    call_id = CharField(null=True)  # the call in which it was promised
    made_by = CharField()  # login
    made_at = MomentField()
    done_at = MomentField(null=True)
    done_by = CharField(default="")

    class Meta:
        indexes = ((("done_at", "operator", "due_at"), False),)


class NumberHiding(Table):
    """Whether operators see callers' numbers masked, since `at`; the newest row is in force."""

    hidden = BooleanField()
    at = MomentField()
    by = CharField()  # login
