"""Self-checks that fail, or that recovered only recently."""

from peewee import CharField

from appliance.core.tables import DocumentField, MomentField, Table


class Alarm(Table):
    """A self-check that fails, or that failed and has not been well for long enough since."""

    code = CharField(primary_key=True)
    # name of the check, a message id with placeholders for `values`; stored here, because the check
    # itself may disappear when it is well
    name = CharField(default="")
    values = DocumentField(default=dict)
    since = MomentField()
    told_at = MomentField(null=True)
    well_since = MomentField(null=True)
