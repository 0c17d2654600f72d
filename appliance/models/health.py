"""Self-checks as they were looked at last, and what Asterisk lacks."""

from peewee import CharField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class ExchangeLook(Table):
    """What Asterisk lacks of what it was given to run with, as it was asked last."""

    name = CharField(primary_key=True)  # modules | queues
    missing = DocumentField(default=list)
    at = MomentField()


class CheckState(Table):
    """A self-check as it was looked at last, in the words of health.Check."""

    code = CharField(primary_key=True)
    name = CharField()
    state = CharField()  # ok | warn | fail
    seen = TextField(default="")
    advice = TextField(default="")
    values = DocumentField(default=dict)
    since = MomentField()  # in this state
    looked_at = MomentField()
