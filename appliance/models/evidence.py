"""Evidence packs: who requested one, why, and the result."""

from peewee import CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class EvidencePack(Table):
    """A pack about a call, or about an appeal and its call.

    `appliance jobs` makes and signs it after it was requested.
    """

    call_id = CharField(default="", index=True)  # "" for an appeal without a call
    # number of the appeal it is about; "": all appeals of the call
    appeal = CharField(default="", index=True)
    by = CharField()  # login of the user who requested it
    reason = TextField()
    asked_at = MomentField()
    state = CharField(default="asked")  # asked | made | failed | gone: its file was removed
    error = TextField(default="")
    made_at = MomentField(null=True)
    file = CharField(default="")  # its name in the folder of packs
    sha256 = CharField(default="")
    size = IntegerField(default=0)  # bytes
