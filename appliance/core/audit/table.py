"""The tables of the audit. Their triggers (migration 0053) allow rows to be added only."""

from peewee import AutoField, CharField, IntegerField

from appliance.core.tables import DocumentField, MomentField, Table


class AuditEntry(Table):
    """One act of a user or process, with the hash that chains it to the previous row.

    Because of the hash, no row can be changed or removed unnoticed.
    """

    id = AutoField()
    at = MomentField(index=True)
    who = CharField(index=True)  # login, or the name of a process
    action = CharField(index=True)  # a code with a label in audit.labels, such as appeal.take
    subject = CharField(index=True)  # number or id of the record that it concerns, or ""
    detail = DocumentField(default=dict)  # small JSON values, by name
    hash = CharField()  # of this row's values and the previous row's hash
    address = CharField(default="")  # the address of the request; "" for a process or a command


class AuditAnchor(Table):
    """A head of the audit (its newest entry at some time) that `appliance jobs` has signed."""

    id = AutoField()
    at = MomentField()  # when it was signed
    entry = IntegerField()  # id of the newest entry at that time
    hash = CharField()  # that entry's
    signature = CharField()  # Ed25519, in hexadecimal digits, of anchors.signed_text()
