"""The latest results of self-checks, and the modules and queues that Asterisk lacks."""

from peewee import CharField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class ExchangeLook(Table):
    """The configured modules or queues that Asterisk lacked at the last check."""

    name = CharField(primary_key=True)  # modules | queues
    missing = DocumentField(default=list)
    at = MomentField()


class CheckState(Table):
    """The latest result of a self-check; the columns are those of box.health.Check."""

    code = CharField(primary_key=True)
    name = CharField()
    state = CharField()  # ok | warn | fail
    seen = TextField(default="")
    advice = TextField(default="")
    values = DocumentField(default=dict)
    since = MomentField()  # when it changed to this state
    looked_at = MomentField()
