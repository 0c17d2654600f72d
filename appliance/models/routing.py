"""The routing plan, in every version that was ever in force."""

from peewee import AutoField, CharField, TextField

from appliance.core.tables import DocumentField, MomentField, Table


class PlanVersion(Table):
    """A plan as saved; the newest row is the one in force."""

    id = AutoField()
    saved_at = MomentField()
    author = CharField()  # login, or the name of a process
    note = TextField(default="")
    document = DocumentField()  # plan.Plan as JSON
