"""The results of the site's tests of itself."""

from peewee import BooleanField, CharField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class SelfTest(Table):
    """One test call, or one drill without the internet."""

    kind = CharField()  # call | offline
    started_at = MomentField(index=True)
    ok = BooleanField()
    failed = CharField(default="")  # the step that failed; "": no step
    seen = TextField(default="")  # what was observed instead
    steps = DocumentField(default=list)  # [{"step", "seconds", "ok"}], in order
    call_id = CharField(default="")  # Call.id of the test call; "" until the ledger contains it
