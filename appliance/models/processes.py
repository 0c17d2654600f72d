"""The processes of the site."""

from peewee import CharField

from appliance.core.tables import MomentField, Table


class ProcessState(Table):
    """The latest start of a process of the site."""

    name = CharField(primary_key=True)  # web | pbx | jobs | asterisk
    holder = CharField(default="")  # process_id.this_process_name(); empty for Asterisk
    version = CharField(default="")
    since = MomentField()
