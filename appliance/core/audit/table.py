"""The table of the audit."""

from peewee import AutoField, CharField

from appliance.core.tables import DocumentField, MomentField, Table


class AuditEntry(Table):
    """Who did or saw what. Each row holds the hash of the one before, so none can be taken out."""

    id = AutoField()
    at = MomentField(index=True)
    who = CharField(index=True)  # login, or the name of a process
    action = CharField()
    subject = CharField()
    detail = DocumentField(default=dict)
    hash = CharField()
