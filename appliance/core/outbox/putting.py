"""Putting a message: with its cause, once, at a decent hour."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from appliance.core import clock, live, phone_numbers
from appliance.core.db import writing
from appliance.core.outbox.gsm import plain
from appliance.core.outbox.purposes import AT_ONCE, STAFF, USE
from appliance.core.outbox.tables import Message
from appliance.core.settings import Messages

_FARTHEST = 14  # days that a message can be put off
KEPT = dt.timedelta(days=2)  # after which a message is of no use, if nothing else is said
_goes_out = Message.expires_at > Message.wanted_at  # and is not put off beyond its use


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
        wanted_at=due,
        due_at=due,
        expires_at=due + kept,
    )
    live.publish("outbox")
    return message


def put_sms(
    purpose: str,
    number: str,
    text: str,
    *,
    key: str,
    tz: ZoneInfo,
    cause: str = "",
    limits: Messages = Messages(),  # noqa: B008  frozen
    payload: dict[str, Any] | None = None,
    delay: dt.timedelta = dt.timedelta(),
) -> Message | None:
    """Write down a short message to a citizen; None when the number can take none. It goes after
    `delay` at the earliest.

    What can wait is due outside the quiet hours, as many a day as `limits` says; what goes beyond
    them to one number is due on a later day. Whoever is on duty or looks after the box gets all.
    """
    recipient = phone_numbers.canonical(number)
    if not recipient:
        return None
    moment = clock.now() + delay
    due = moment if purpose in AT_ONCE else by_day(moment, tz, limits)
    wanted = due
    if purpose not in STAFF:
        due = room_at(recipient, due, tz, limits)
    if purpose not in AT_ONCE:
        due = _with_room(due, tz, limits)
    return put(
        "sms",
        purpose,
        recipient,
        key=key,
        text=plain(text),
        cause=cause,
        due_at=due,
        payload=payload,
        kept=USE[purpose] - (due - wanted) if purpose in USE else KEPT,
    )


def withdraw(cause: str, since: dt.datetime) -> bool:
    """Take out what was put about a cause since a moment, if nothing of it was tried; whether so.

    For what its cause itself was taken back; call it in that transaction. What somebody wrote by
    hand meanwhile goes out.
    """
    put_since = (
        Message.cause == cause,
        Message.created_at >= since,
        Message.purpose != "manual",
    )
    tried = (Message.state != "pending") | (Message.attempts > 0)
    with writing():
        if Message.select().where(*put_since, tried).exists():
            return False
        Message.delete().where(*put_since).execute()
        live.publish("outbox")
    return True


def wait_for_morning(tz: ZoneInfo, limits: Messages) -> int:
    """In the quiet hours put off to their end what can wait and would go before, as what has piled
    up does; returns how many."""
    now = clock.now()
    morning = by_day(now, tz, limits)
    early = (
        Message.channel == "sms",
        Message.state == "pending",
        Message.purpose.not_in(AT_ONCE),
        Message.due_at < morning,
    )
    if morning == now or not Message.select().where(*early).exists():
        return 0
    with writing():
        live.publish("outbox")
        return Message.update(due_at=morning, wanted_at=morning).where(*early).execute()


def by_day(moment: dt.datetime, tz: ZoneInfo, limits: Messages) -> dt.datetime:
    """The moment, or the end of the quiet hours that it falls into."""
    begin, end = map(dt.time.fromisoformat, (limits.quiet_from, limits.quiet_to))
    local = moment.astimezone(tz)
    late, early = local.time() >= begin, local.time() < end
    if not (late or early if begin > end else late and early):
        return moment
    day = local.date() + dt.timedelta(days=late and begin > end)
    return dt.datetime.combine(day, end, tz).astimezone(dt.UTC)


def room_at(recipient: str, due: dt.datetime, tz: ZoneInfo, limits: Messages) -> dt.datetime:
    """The moment, or one a day or more after, before which a number gets fewer within a day than
    it may have."""
    for _ in range(_FARTHEST):
        theirs = Message.select().where(
            Message.recipient == recipient,
            Message.channel == "sms",
            Message.wanted_at > due - dt.timedelta(days=1),
            Message.wanted_at <= due,
            _goes_out,
        )
        if theirs.count() < limits.per_number:
            break
        due = by_day(due + dt.timedelta(days=1), tz, limits)
    return due


def _with_room(due: dt.datetime, tz: ZoneInfo, limits: Messages) -> dt.datetime:
    """The moment, or a morning after, on whose day fewer are due than a day may have."""
    for _ in range(_FARTHEST):
        start = dt.datetime.combine(due.astimezone(tz).date(), dt.time(), tz)
        following = dt.datetime.combine(start.date() + dt.timedelta(days=1), dt.time(), tz)
        on_day = Message.select().where(
            Message.channel == "sms",
            Message.purpose.not_in(AT_ONCE),
            Message.wanted_at >= start,
            Message.wanted_at < following,
            _goes_out,
        )
        if on_day.count() < limits.per_day:
            break
        due = by_day(following, tz, limits)
    return due
