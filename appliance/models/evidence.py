"""Evidence packs: who asked for one, why, and what was made."""

from peewee import CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class EvidencePack(Table):
    """A pack about a call, or about an appeal and its call; `appliance jobs` makes and signs it."""

    call_id = CharField(default="", index=True)  # "" for an appeal without a call
    appeal = CharField(default="", index=True)  # number of the one it is about; "": all of the call
    by = CharField()  # login of who asked
    reason = TextField()
    asked_at = MomentField()
    state = CharField(default="asked")  # asked | made | failed | gone: its file was removed
    error = TextField(default="")
    made_at = MomentField(null=True)
    file = CharField(default="")  # its name in the folder of packs
    sha256 = CharField(default="")
    size = IntegerField(default=0)  # bytes
