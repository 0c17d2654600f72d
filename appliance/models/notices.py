"""What people outside are told: texts, who wants none, reports that came early, duty alerts."""

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
    """The site's own wording of a short message; without a row the default is in force."""

    purpose = CharField()  # notices.texts.PURPOSES
    language = CharField()  # uz | ru
    text = TextField()

    class Meta:
        indexes = ((("purpose", "language"), True),)


class SmsTemplate(Table):
    """A text from which people write short messages by hand; never removed, only retired."""

    name = CharField()  # as the list of templates has it
    uz = TextField()  # in Latin letters; words in braces: notices.templates.PLACEHOLDERS
    ru = TextField()
    position = IntegerField(default=0)  # in the list, the lowest first
    active = BooleanField(default=True)


class SmsOptOut(Table):
    """A number that wants no short messages."""

    number = CharField(primary_key=True)  # +998…
    at = MomentField()
    by = CharField()  # login


class DutyAlert(Table):
    """An appeal that the ministry was alerted of out of hours, and who took it."""

    appeal = ForeignKeyField(Appeal, primary_key=True, backref="alerts", on_delete="RESTRICT")
    at = MomentField()
    step = IntegerField(default=0)  # how many of the duty list were asked after the group
    next_at = MomentField(null=True, index=True)  # when the next is asked; null: nobody is left
    taken_by = CharField(default="")  # as Telegram names him
    taken_at = MomentField(null=True)


class TelegramChat(Table):
    """A group that became a supergroup and has another id since."""

    old = CharField(primary_key=True)
    chat = CharField()


class TelegramBot(Table):
    """How far the bot has read what it was told, and what hinders it."""

    name = CharField(primary_key=True)
    read = BigIntegerField(default=0)  # the next update's id
    trouble = CharField(default="")
    seen_at = MomentField(null=True)  # when Telegram last answered
