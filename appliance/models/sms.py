"""SMS accounts as they were found, what is told over which, approved texts, marks by SMS."""

from peewee import BooleanField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class SmsHealth(Table):
    """An account of the settings as sending found it."""

    account = CharField(primary_key=True)
    sent_at = MomentField(null=True)  # when it last took a message, or its line was open
    failures = IntegerField(default=0)  # in a row
    failing_since = MomentField(null=True)
    held_until = MomentField(null=True)  # passed over until then
    trouble = CharField(default="")  # code of what went wrong last
    trouble_text = TextField(default="")
    balance = IntegerField(null=True)
    balance_at = MomentField(null=True)


class NoticeRule(Table):
    """Whether and over which account first something is told; without a row: yes, in order."""

    purpose = CharField(primary_key=True)  # notices.texts.PURPOSES, manual
    told = BooleanField(default=True)
    account = CharField(default="")  # asked first; "": the settings' order


class TextApproval(Table):
    """What a service said of a text; it holds for this very wording only."""

    account = CharField()
    purpose = CharField()
    language = CharField()
    text = TextField()
    state = CharField()  # waiting | approved | refused
    by = CharField()  # login
    at = MomentField()

    class Meta:
        indexes = ((("account", "purpose", "language"), True),)


class SmsRating(Table):
    """A caller who hung up first is asked for a mark. No child of the call: kept when it is told
    anew from its records, and joined to its row then."""

    call_id = CharField(primary_key=True)
    token = CharField(unique=True)  # of the page
    number = CharField(index=True)  # +998…
    language = CharField()  # uz | ru
    asked_at = MomentField()
    expires_at = MomentField()
    mark = IntegerField(null=True)  # 1 to 5
    marked_at = MomentField(null=True)
    how = CharField(default="")  # link | reply
