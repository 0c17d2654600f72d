"""What waits and what became of the rest, for the page, the command and the alarms."""

import datetime as dt
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.core import clock
from appliance.core.outbox.tables import Message

OPEN = ("pending", "claimed")
_NOBODY = "none"  # channel of what only stands for numbers that a restore left out
ASKED_FOR = dt.timedelta(days=1)  # after which nobody asks any more what became of a message


@dataclass(frozen=True)
class Ages:
    """A channel's queue: how many messages should have gone, and since when the oldest.

    `trouble` is the code of what went wrong when one of them was tried last, or "".
    """

    channel: str
    waiting: int
    oldest: dt.timedelta
    trouble: str = ""


def listed(state: str | None, limit: int, offset: int = 0) -> list[Message]:
    """Messages of a state (None: all), newest first."""
    chosen = Message.select().where(Message.channel != _NOBODY)
    if state:
        chosen = chosen.where(Message.state == state)
    return list(chosen.order_by(Message.id.desc()).limit(limit).offset(offset))


def message(number: int, channel: str | None = None) -> Message | None:
    """The message with this id, of one channel or of any; None when there is none."""
    found = Message.select().where(Message.id == number)
    return (found.where(Message.channel == channel) if channel else found).first()


def ages() -> list[Ages]:
    """What should have gone and has not, by channel, also while it waits for its next attempt;
    nothing for a channel without any."""
    now = clock.now()
    open_ = Message.select().where(Message.state.in_(OPEN))
    rows = (
        open_.select(
            Message.channel,
            fn.COUNT(Message.id).alias("waiting"),
            fn.MIN(Message.wanted_at).alias("wanted_at"),
        )
        .where(Message.wanted_at <= now)
        .group_by(Message.channel)
        .order_by(Message.channel)
    )
    return [
        Ages(row.channel, row.waiting, now - row.wanted_at, _trouble(open_, row)) for row in rows
    ]


def expired(since: dt.datetime) -> int:
    """How many messages came too late since a moment."""
    return Message.select().where(Message.state == "expired", Message.ended_at >= since).count()


def _trouble(open_: ModelSelect, row: Message) -> str:
    last = open_.where(Message.channel == row.channel, Message.trouble != "")
    found = last.order_by(Message.tried_at.desc()).first()
    return found.trouble if found else ""
