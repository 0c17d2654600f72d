"""The tables of the audit. Their triggers (migration 0053) let rows be added only."""

from peewee import AutoField, CharField, IntegerField

from appliance.core.tables import DocumentField, MomentField, Table


class AuditEntry(Table):
    """Who did or saw what. Each row holds the hash of the one before, so none can be taken out."""

    id = AutoField()
    at = MomentField(index=True)
    who = CharField(index=True)  # login, or the name of a process
    action = CharField(index=True)
    subject = CharField(index=True)
    detail = DocumentField(default=dict)
    hash = CharField()
    address = CharField(default="")  # where a request came from; "" of a process or a command


class AuditAnchor(Table):
    """A head of the chain as `appliance jobs` signed it."""

    id = AutoField()
    at = MomentField()
    entry = IntegerField()
    hash = CharField()
    signature = CharField()  # Ed25519, in hexadecimal digits, of anchors.signed_text()
