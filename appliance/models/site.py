"""What the processes tell one another, and what was done by whom."""

from peewee import AutoField, CharField

from appliance.models.base import DocumentField, MomentField, Table


class LiveEvent(Table):
    """A topic that changed at a moment; browsers fetch anew what depends on it."""

    id = AutoField()
    topic = CharField()
    at = MomentField(index=True)


class AuditEntry(Table):
    """Who did or saw what. Each row holds the hash of the one before, so none can be taken out."""

    id = AutoField()
    at = MomentField(index=True)
    who = CharField(index=True)  # login, or the name of a process
    action = CharField()
    subject = CharField()
    detail = DocumentField(default=dict)
    hash = CharField()
