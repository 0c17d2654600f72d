"""Queueing messages: each only once, with its cause, outside the quiet hours and within limits."""

import datetime as dt
from typing import Any
from zoneinfo import ZoneInfo

from appliance.core import clock, live, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.outbox.gsm import use_ascii_quotes
from appliance.core.outbox.purposes import LIFETIMES, STAFF_PURPOSES, URGENT_PURPOSES
from appliance.core.outbox.tables import Message
from appliance.core.settings import Messages
from appliance.core.statements import find_row

_MAX_POSTPONED_DAYS = 14  # days after which no later day is looked for: all could be full
DEFAULT_LIFETIME = dt.timedelta(days=2)  # how long a message is useful, by default
# The condition that a message was not postponed beyond its lifetime.
_will_be_sent = Message.expires_at > Message.wanted_at


def queue_message(
    channel: str,
    purpose: str,
    recipient: str,
    *,
    key: str,
    text: str = "",
    payload: dict[str, Any] | None = None,
    cause: str = "",
    due_at: dt.datetime | None = None,
    lifetime: dt.timedelta = DEFAULT_LIFETIME,
) -> Message:
    """Queue a message, which the channel's sender then sends; returns the message.

    Call it in the transaction that makes it necessary. `key` identifies the notification: if a
    message with this key exists, it is returned instead. `purpose` is a code of PURPOSES, `cause`
    the number of the appeal, or the id of the call, that the message is about; `payload` holds
    further data for the sender. The message is due at `due_at` (None, or a time in the past: now)
    and expires, unsent, when `lifetime` has passed after that.
    """
    now = clock.now()
    first_due_at = max(due_at or now, now)
    existing = find_row(Message, key=key)
    if existing:
        return existing
    message: Message = Message.create(
        channel=channel,
        purpose=purpose,
        recipient=recipient,
        key=key,
        text=text,
        payload=payload or {},
        cause=cause,
        created_at=now,
        wanted_at=first_due_at,
        due_at=first_due_at,
        expires_at=first_due_at + lifetime,
    )
    live.publish_topics("outbox")
    return message


def queue_sms(
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
    """Queue an SMS and return it; returns None if the phone number is invalid.

    For `key`, `cause` and `payload` see `queue_message`; `tz` is the site's time zone. The SMS is
    sent after `delay` at the earliest. One that is not urgent waits until the quiet hours end, and
    until a day on which the limit of all such messages is not reached. Unless it is for people on
    duty or technicians, it also waits until the limit for its number allows it. The quiet hours and
    both limits are in `limits`.
    """
    recipient = phone_numbers.canonical_number(number)
    if not recipient:
        return None
    earliest = clock.now() + delay
    planned_at = (
        earliest if purpose in URGENT_PURPOSES else time_outside_quiet_hours(earliest, tz, limits)
    )
    wanted_at = planned_at  # from here on the SMS is useful: waiting for a limit shortens its life
    if purpose not in STAFF_PURPOSES:
        planned_at = time_within_recipient_limit(recipient, planned_at, tz, limits)
    if purpose not in URGENT_PURPOSES:
        planned_at = _time_within_daily_limit(planned_at, tz, limits)
    return queue_message(
        "sms",
        purpose,
        recipient,
        key=key,
        text=use_ascii_quotes(text),
        cause=cause,
        due_at=planned_at,
        payload=payload,
        lifetime=LIFETIMES[purpose] - (planned_at - wanted_at)
        if purpose in LIFETIMES
        else DEFAULT_LIFETIME,
    )


def withdraw_messages(cause: str, since: dt.datetime) -> bool:
    """Delete the unsent messages about `cause` that were queued at the time `since` or later.

    It is for an act that is undone, such as an answer: call it in the transaction that does this.
    `cause` is an appeal's number or a call's id (see `queue_message`). Returns True if they were
    deleted, or if there are no such messages. If an attempt to send one of them was made, all stay,
    and it returns False. Messages that an operator wrote by hand are not deleted, and do not count.
    """
    conditions = (
        Message.cause == cause,
        Message.created_at >= since,
        Message.purpose != "manual",
    )
    was_attempted = (Message.state != "pending") | (Message.attempts > 0)
    with write_transaction():
        if Message.select().where(*conditions, was_attempted).exists():
            return False
        Message.delete().where(*conditions).execute()
        live.publish_topics("outbox")
    return True


def postpone_until_morning(tz: ZoneInfo, limits: Messages) -> int:
    """During the quiet hours, postpone pending SMS that are not urgent to the end of these hours.

    This includes those that became due before the quiet hours and are still unsent. Returns the
    number of postponed messages; does nothing outside the quiet hours.
    """
    now = clock.now()
    morning = time_outside_quiet_hours(now, tz, limits)
    conditions = (
        Message.channel == "sms",
        Message.state == "pending",
        Message.purpose.not_in(URGENT_PURPOSES),
        Message.due_at < morning,
    )
    if morning == now or not Message.select().where(*conditions).exists():
        return 0
    with write_transaction():
        live.publish_topics("outbox")
        count: int = Message.update(due_at=morning, wanted_at=morning).where(*conditions).execute()
    return count


def time_outside_quiet_hours(time: dt.datetime, tz: ZoneInfo, limits: Messages) -> dt.datetime:
    """Return the given time, or the end of the quiet hours if the time falls within them.

    In the quiet hours, citizens get only urgent messages. They are set in `limits`, in the time
    zone `tz`, and usually include midnight.
    """
    begin, end = map(dt.time.fromisoformat, (limits.quiet_from, limits.quiet_to))
    local = time.astimezone(tz)
    is_late, is_early = local.time() >= begin, local.time() < end
    # Hours that include midnight (begin > end) are late or early ones, others are both.
    if not (is_late or is_early if begin > end else is_late and is_early):
        return time
    # Of a late hour before midnight, the quiet hours end on the next day.
    day = local.date() + dt.timedelta(days=is_late and begin > end)
    return dt.datetime.combine(day, end, tz).astimezone(dt.UTC)


def time_within_recipient_limit(
    recipient: str, due: dt.datetime, tz: ZoneInfo, limits: Messages
) -> dt.datetime:
    """Return `due`, or a time on a later day at which the recipient's daily limit is not exceeded.

    `recipient` is a phone number in canonical form; the limit counts the SMS of the 24 hours before
    the returned time. An SMS is postponed by at most _MAX_POSTPONED_DAYS days, even if the limit is
    exceeded then.
    """
    for _ in range(_MAX_POSTPONED_DAYS):
        messages = Message.select().where(
            Message.recipient == recipient,
            Message.channel == "sms",
            Message.wanted_at > due - dt.timedelta(days=1),
            Message.wanted_at <= due,
            _will_be_sent,
        )
        if messages.count() < limits.per_number:
            break
        due = time_outside_quiet_hours(due + dt.timedelta(days=1), tz, limits)
    return due


def _time_within_daily_limit(due: dt.datetime, tz: ZoneInfo, limits: Messages) -> dt.datetime:
    """Return `due`, or the morning of a later day that is below the daily limit of all messages.

    Urgent messages do not count. A message is postponed by at most _MAX_POSTPONED_DAYS days, even
    if the limit is exceeded then.
    """
    for _ in range(_MAX_POSTPONED_DAYS):
        start = dt.datetime.combine(due.astimezone(tz).date(), dt.time(), tz)
        next_day = dt.datetime.combine(start.date() + dt.timedelta(days=1), dt.time(), tz)
        messages = Message.select().where(
            Message.channel == "sms",
            Message.purpose.not_in(URGENT_PURPOSES),
            Message.wanted_at >= start,
            Message.wanted_at < next_day,
            _will_be_sent,
        )
        if messages.count() < limits.per_day:
            break
        due = time_outside_quiet_hours(next_day, tz, limits)
    return due
