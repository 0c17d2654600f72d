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
    """A channel's queue: how many messages are due, and how long the oldest has waited.

    `trouble` is the code of the latest failed attempt to send one of them, or "".
    """

    channel: str
    waiting: int
    oldest: dt.timedelta
    trouble: str = ""


def list_messages(state: str | None, limit: int, offset: int = 0) -> list[Message]:
    """Return messages in one state, or in any state if it is None, the newest first."""
    messages = Message.select().where(Message.channel != _RESTORE_MARK_CHANNEL)
    if state:
        messages = messages.where(Message.state == state)
    return list(messages.order_by(Message.id.desc()).limit(limit).offset(offset))


def find_message(message_id: int, channel: str | None = None) -> Message | None:
    """Return the message with this id, if it exists and is of this channel (None: any channel)."""
    message = find_row(Message, id=message_id)
    return message if message and channel in (None, message.channel) else None


def queue_ages() -> list[QueueAge]:
    """Return the queue of each channel that has messages due but not sent.

    Messages that wait for a retry are included: their waiting time counts from the planned time.
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
    """Return the trouble code of the latest failed attempt among open messages; "" without one.

    `open_messages` is the query of all open messages; only those in the channel of `row` are
    considered.
    """
    troubled = open_messages.where(Message.channel == row.channel, Message.trouble != "")
    message = troubled.order_by(Message.tried_at.desc()).first()
    return message.trouble if message else ""
