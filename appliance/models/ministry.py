"""The link to the ministry's system: its events, the read position, files in both directions."""

from peewee import BooleanField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class MinistryEvent(Table):
    """One event that the ministry's system reported; its id prevents processing it twice."""

    id = CharField(primary_key=True)  # the system's own
    number = CharField(index=True)  # of the appeal
    action = CharField()
    outcome = CharField()  # "done", or a code: why the action was not possible
    text = TextField(default="")  # of the event; stored only if the action was not possible
    at = MomentField()
    # False until a user has dealt with an event that was not possible
    seen = BooleanField(default=True)

    class Meta:
        indexes = ((("seen", "at"), False),)


class MinistryLink(Table):
    """The position up to which the system's events were read, and the link's current trouble."""

    name = CharField(primary_key=True)
    cursor = CharField(default="")
    trouble = CharField(default="")
    trouble_text = TextField(default="")
    heard_at = MomentField(null=True)  # when the system last gave a valid answer


class MinistryPackage(Table):
    """A numbered file that was sent to the ministry's system (`out`) or received (`in`)."""

    way = CharField()  # out | in | skip (after a restore, numbers up to this one are not used)
    number = IntegerField()
    sha256 = CharField()
    at = MomentField()
    # out: the file, until its receipt arrives; in: what was not possible, until the receipt is
    # created
    body = TextField(default="")
    receipt_at = MomentField(null=True)

    class Meta:
        indexes = ((("way", "number"), True),)
