"""The health of SMS accounts, the rules for notices, approved texts, and ratings by SMS."""

from peewee import BooleanField, CharField, IntegerField, TextField

from appliance.core.tables import MomentField, Table


class SmsHealth(Table):
    """The state of an SMS account of the settings, as last observed by sending."""

    account = CharField(primary_key=True)
    sent_at = MomentField(null=True)  # when it last accepted a message, or its line was open
    failures = IntegerField(default=0)  # in a row
    failing_since = MomentField(null=True)
    held_until = MomentField(null=True)  # skipped until then
    trouble = CharField(default="")  # code of the last error
    trouble_text = TextField(default="")
    balance = IntegerField(null=True)
    balance_at = MomentField(null=True)


class NoticeRule(Table):
    """Whether messages of a purpose are sent, and which account is tried first.

    If a purpose has no row, they are sent, in the settings' order of accounts.
    """

    purpose = CharField(primary_key=True)  # notices.texts.PLACEHOLDERS_BY_PURPOSE, manual
    told = BooleanField(default=True)  # True: they are sent
    account = CharField(default="")  # tried first; "": the settings' order


class TextApproval(Table):
    """A service's decision about a text; it is valid for exactly this wording."""

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
    """A request for a rating, sent to a caller who hung up before giving one.

    No foreign key to the call: the row remains when the call is stored again, and its mark is then
    added to the new row.
    """

    call_id = CharField(primary_key=True)
    token = CharField(unique=True)  # of the page
    number = CharField(index=True)  # +998…
    language = CharField()  # uz | ru
    asked_at = MomentField()
    expires_at = MomentField()
    mark = IntegerField(null=True)  # 1 to 5
    marked_at = MomentField(null=True)
    how = CharField(default="")  # link | reply
