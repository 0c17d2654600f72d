"""Checks that fail, or that recovered only recently."""

from peewee import CharField

from appliance.core.tables import DocumentField, MomentField, Table


class Alarm(Table):
    """A check that fails, or that has not been well for long enough since it failed."""

    code = CharField(primary_key=True)
    # of the check, filled with `values`; stored, as a check that is well may disappear
    name = CharField(default="")
    values = DocumentField(default=dict)
    since = MomentField()
    told_at = MomentField(null=True)
    well_since = MomentField(null=True)
