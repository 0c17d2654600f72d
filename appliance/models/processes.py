"""The processes of the site."""

from peewee import CharField

from appliance.core.tables import MomentField, Table


class ProcessState(Table):
    """A process of the site as it began last."""

    name = CharField(primary_key=True)  # web | pbx | jobs | asterisk
    holder = CharField(default="")  # process_id.this_process; of Asterisk nothing
    version = CharField(default="")
    since = MomentField()
