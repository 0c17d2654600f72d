"""What came from the ministry's system, how far it was read, and the numbered files to and fro."""

from peewee import BooleanField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class MinistryEvent(Table):
    """One thing that the ministry's system told; its id makes it count once."""

    id = CharField(primary_key=True)  # the system's
    number = CharField(index=True)  # of the appeal
    action = CharField()
    outcome = CharField()  # done, or why it could not be done
    text = TextField(default="")  # kept when it could not be done
    at = MomentField()
    seen = BooleanField(default=True)  # False until somebody has dealt with what was not done

    class Meta:
        indexes = ((("seen", "at"), False),)


class MinistryLink(Table):
    """How far the answers were read, and what hinders the link."""

    name = CharField(primary_key=True)
    cursor = CharField(default="")
    trouble = CharField(default="")
    trouble_text = TextField(default="")
    heard_at = MomentField(null=True)  # when the system last answered with sense


class MinistryPackage(Table):
    """A numbered file: one of ours (`out`) until its receipt is here, or one of theirs (`in`)."""

    way = CharField()  # out | in | skip: up to here numbers are left out after a restore
    number = IntegerField()
    sha256 = CharField()
    at = MomentField()
    # of ours, until its receipt is here; of theirs, what was not done, until ours is made
    body = TextField(default="")
    receipt_at = MomentField(null=True)

    class Meta:
        indexes = ((("way", "number"), True),)
