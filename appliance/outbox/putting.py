"""Putting a message: with its cause, once, at a decent hour."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from appliance import clock, identity, live
from appliance.models import Message
from appliance.outbox.gsm import plain

KEPT = dt.timedelta(days=2)  # after which a message is of no use, if nothing else is said
# What does not wait for the morning: somebody is waiting for it at this moment.
AT_ONCE = frozenset({"registered", "callback", "manual", "duty", "alarm"})
_STAFF = ("duty", "alarm")  # never too many
_DAY = (dt.time(8), dt.time(21))  # hours in which what can wait is sent
PER_DAY = 6  # to one number; what is more waits for the next day


def put(
    channel: str,
    purpose: str,
    recipient: str,
    *,
    key: str,
    text: str = "",
    payload: dict[str, Any] | None = None,
    cause: str = "",
    due_at: dt.datetime | None = None,
    kept: dt.timedelta = KEPT,
) -> Message:
    """Write a message down; call it in the transaction of its cause.

    `key` names the thing to be told: put again, the message of the first time comes back.
    """
    moment = clock.now()
    due = max(due_at or moment, moment)
    known = Message.get_or_none(Message.key == key)
    if known:
        return known
    message = Message.create(
        channel=channel,
        purpose=purpose,
        recipient=recipient,
        key=key,
        text=text,
        payload=payload or {},
        cause=cause,
        created_at=moment,
        due_at=due,
        expires_at=due + kept,
    )
    live.publish("outbox")
    return message


def put_sms(
    purpose: str, number: str, text: str, *, key: str, tz: ZoneInfo, cause: str = ""
) -> Message | None:
    """Write down a short message to a citizen; None when the number can take none.

    What can wait is due in daytime, and a number gets at most PER_DAY messages a day; whoever is
    on duty or looks after the box gets all.
    """
    recipient = identity.phone(number)
    if not recipient:
        return None
    moment = clock.now()
    due = moment if purpose in AT_ONCE else _by_day(moment, tz)
    day = moment - dt.timedelta(days=1)
    if (
        purpose not in _STAFF
        and Message.select()
        .where(Message.recipient == recipient, Message.channel == "sms", Message.created_at > day)
        .count()
        >= PER_DAY
    ):
        due = _by_day(due + dt.timedelta(days=1), tz)
    return put("sms", purpose, recipient, key=key, text=plain(text), cause=cause, due_at=due)


def _by_day(moment: dt.datetime, tz: ZoneInfo) -> dt.datetime:
    """The moment, or the next morning when it falls into the night."""
    local = moment.astimezone(tz)
    begin, end = _DAY
    if begin <= local.time() < end:
        return moment
    day = local.date() + dt.timedelta(days=local.time() >= end)
    return dt.datetime.combine(day, begin, tz).astimezone(dt.UTC)
