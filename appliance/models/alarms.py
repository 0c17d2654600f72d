"""Checks that fail, or failed a moment ago."""

from peewee import CharField

from appliance.core.tables import DocumentField, MomentField, Table


class Alarm(Table):
    """A check that fails, or that failed and is not well for long enough yet."""

    code = CharField(primary_key=True)
    name = CharField(default="")  # of the check, filled with `values`; a check that is well may go
    values = DocumentField(default=dict)
    since = MomentField()
    told_at = MomentField(null=True)
    well_since = MomentField(null=True)
