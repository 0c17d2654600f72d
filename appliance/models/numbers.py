"""What is kept with callers' numbers: notes, when to call one back, who may read them whole."""

from peewee import BooleanField, CharField, ForeignKeyField, TextField

from appliance.core.tables import MomentField, Table
from appliance.models.accounts import User


class NumberNote(Table):
    """What the next operator should know of whoever calls from a number."""

    number = CharField(index=True)  # +998…
    text = TextField()
    by = CharField()  # login
    at = MomentField(index=True)
    changed_by = CharField(default="")  # login of who corrected it last
    changed_at = MomentField(null=True)
    removed_by = CharField(default="")
    removed_at = MomentField(null=True)


class ScheduledCallback(Table):
    """A number that an operator has promised to call back at a moment."""

    number = CharField()  # +998…
    due_at = MomentField()
    note = TextField(default="")
    operator = ForeignKeyField(User, backref="callbacks", on_delete="RESTRICT", index=False)
    call_id = CharField(null=True)  # in which it was promised
    made_by = CharField()  # login
    made_at = MomentField()
    done_at = MomentField(null=True)
    done_by = CharField(default="")

    class Meta:
        indexes = ((("done_at", "operator", "due_at"), False),)


class NumberHiding(Table):
    """Whether operators see callers' numbers masked, from a moment on; the newest row holds."""

    hidden = BooleanField()
    at = MomentField()
    by = CharField()  # login
