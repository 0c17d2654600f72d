"""Waiting and finished messages, for the web page, the command and the alarms."""

import datetime as dt
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.core import clock
from appliance.core.outbox.tables import Message
from appliance.core.statements import find_row

OPEN_STATES = ("pending", "claimed")
# The channel of rows that are no messages: by them a restore reserves ids, and its time is noted.
_RESTORE_MARK_CHANNEL = "none"
STATUS_QUERY_PERIOD = dt.timedelta(days=1)  # how long a gateway is queried about a message


@dataclass(frozen=True)
class QueueAge:
    """How many messages of a channel are due but unsent, and since when; for pages and alarms."""

    channel: str  # "sms", "telegram" or "ministry"
    waiting: int  # the number of these messages
    oldest: dt.timedelta  # how long the oldest has waited
    trouble: str = ""  # code of the latest failure to send one of them (TROUBLES), or ""


def list_messages(state: str | None, limit: int, offset: int = 0) -> list[Message]:
    """Return messages in a `state` (None: in any), the newest first; at most `limit` of them.

    `offset` is the number of messages to skip, for the next page of the list.
    """
    messages = Message.select().where(Message.channel != _RESTORE_MARK_CHANNEL)
    if state:
        messages = messages.where(Message.state == state)
    return list(messages.order_by(Message.id.desc()).limit(limit).offset(offset))


def find_message(message_id: int, channel: str | None = None) -> Message | None:
    """Return the message with this id, if it exists and is of this channel (None: any channel)."""
    message = find_row(Message, id=message_id)
    return message if message and channel in (None, message.channel) else None


def queue_ages() -> list[QueueAge]:
    """Return a QueueAge for each channel with unsent messages whose planned time has come.

    Messages that wait for a retry are included: they have waited since the time first planned for
    sending, which a failed attempt does not change.
    """
    now = clock.now()
    open_messages = Message.select().where(Message.state.in_(OPEN_STATES))
    rows = (
        open_messages.select(
            Message.channel,
            fn.COUNT(Message.id).alias("waiting"),
            fn.MIN(Message.wanted_at).alias("wanted_at"),
        )
        .where(Message.wanted_at <= now)
        .group_by(Message.channel)
        .order_by(Message.channel)
    )
    return [
        QueueAge(row.channel, row.waiting, now - row.wanted_at, _last_trouble(open_messages, row))
        for row in rows
    ]


def expired_count(since: dt.datetime) -> int:
    """Return the number of messages that expired, unsent, at the time `since` or later."""
    conditions = (Message.state == "expired", Message.ended_at >= since)
    count: int = Message.select().where(*conditions).count()
    return count


def _last_trouble(open_messages: ModelSelect, row: Message) -> str:
    """Return the trouble code of the latest failed attempt to send an open message of a channel.

    `open_messages` is the query of the open messages of all channels; `row` has the channel.
    Returns "" if no attempt has failed.
    """
    troubled = open_messages.where(Message.channel == row.channel, Message.trouble != "")
    message = troubled.order_by(Message.tried_at.desc()).first()
    return message.trouble if message else ""
