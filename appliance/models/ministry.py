"""Events from the ministry's system, its read position, numbered files in both directions."""

from peewee import BooleanField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class MinistryEvent(Table):
    """One event that the ministry's system reported; its id prevents processing it twice."""

    id = CharField(primary_key=True)  # the system's own
    number = CharField(index=True)  # of the appeal
    action = CharField()
    outcome = CharField()  # done, or why it was not possible
    text = TextField(default="")  # stored if it was not possible
    at = MomentField()
    # False until a user has dealt with an event that was not possible
    seen = BooleanField(default=True)

    class Meta:
        indexes = ((("seen", "at"), False),)


class MinistryLink(Table):
    """The read position of the answers, and the current trouble of the link."""

    name = CharField(primary_key=True)
    cursor = CharField(default="")
    trouble = CharField(default="")
    trouble_text = TextField(default="")
    heard_at = MomentField(null=True)  # when the system last gave a valid answer


class MinistryPackage(Table):
    """A numbered file: outgoing (`out`) until its receipt arrives, or incoming (`in`)."""

    way = CharField()  # out | in | skip: numbers up to this one are skipped after a restore
    number = IntegerField()
    sha256 = CharField()
    at = MomentField()
    # out: the file, until its receipt arrives; in: what was not possible, until the receipt is
    # created
    body = TextField(default="")
    receipt_at = MomentField(null=True)

    class Meta:
        indexes = ((("way", "number"), True),)
