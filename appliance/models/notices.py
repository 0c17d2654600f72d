"""Messages to people outside: texts, opt-outs, duty alerts, the Telegram bot's state."""

from peewee import (
    BigIntegerField,
    BooleanField,
    CharField,
    ForeignKeyField,
    IntegerField,
    TextField,
)

from appliance.core.tables import MomentField, Table
from appliance.models.appeals import Appeal


class NoticeText(Table):
    """The site's own wording of a short message; if it has no row, the default text is used."""

    purpose = CharField()  # notices.texts.PLACEHOLDERS_BY_PURPOSE
    language = CharField()  # uz | ru
    text = TextField()

    class Meta:
        indexes = ((("purpose", "language"), True),)


class SmsTemplate(Table):
    """A template for short messages written by hand. Templates are retired, never deleted."""

    name = CharField()  # as shown in the list of templates
    uz = TextField()  # in Latin letters; for words in braces see notices.templates.PLACEHOLDERS
    ru = TextField()
    position = IntegerField(default=0)  # in the list, the lowest first
    active = BooleanField(default=True)


class SmsOptOut(Table):
    """A number that receives no short messages."""

    number = CharField(primary_key=True)  # +998…
    at = MomentField()
    by = CharField()  # login


class DutyAlert(Table):
    """An appeal about which the ministry was alerted out of hours, and who took it."""

    appeal = ForeignKeyField(Appeal, primary_key=True, backref="alerts", on_delete="RESTRICT")
    at = MomentField()
    step = IntegerField(default=0)  # how many people on the duty list were alerted after the group
    # when the next person is alerted; null: nobody is left, or somebody took the appeal
    next_at = MomentField(null=True, index=True)
    taken_by = CharField(default="")  # their name in Telegram
    taken_at = MomentField(null=True)


class TelegramChat(Table):
    """A group that became a supergroup and therefore has another id."""

    old = CharField(primary_key=True)
    chat = CharField()


class TelegramBot(Table):
    """The bot's read position in its updates, and its current trouble."""

    name = CharField(primary_key=True)
    read = BigIntegerField(default=0)  # id of the next update
    trouble = CharField(default="")
    seen_at = MomentField(null=True)  # when Telegram last answered
