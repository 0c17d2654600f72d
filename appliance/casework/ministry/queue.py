"""The queue of messages to the ministry's system, per appeal, and each appeal's exchange state.

It is part of the outbox: a message's recipient is the appeal's number, so one appeal's messages are
sent in order. An appeal's exchange state (EXCHANGE_STATES) is derived from its newest message.
"""

import datetime as dt
from dataclasses import dataclass

from peewee import ModelSelect, fn

from appliance.casework.hooks import AppealChange
from appliance.casework.ministry import mapping
from appliance.core import audit, clock, live, outbox
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.models import Appeal, Handling, Message

CHANNEL = "ministry"
MINISTRY_ACTOR = "ministry:system"  # as the actor in the audit and on the appeal
EXCHANGE_STATES = {  # state of the newest message: exchange state of the appeal
    "pending": "queued",
    "claimed": "queued",
    "held": "queued",  # until it is released or dropped by a person after a restore
    "sent": "sent",
    "delivered": "acknowledged",
    "refused": "refused",
    "expired": "refused",
}
_UNREPORTED_ACTIONS = ("consult", "conclude")  # the system's document has no consultations
# all states of a message but "delivered", which means acknowledged by the ministry's system
_UNFINISHED_STATES = ("pending", "claimed", "held", "sent", "refused", "expired")
_RETENTION_PERIOD = dt.timedelta(days=3650)  # these messages never expire in practice
_BATCH_SIZE = 100  # appeals queued in one transaction
_DELIVERED_STATES = ("sent", "delivered")  # "sent": accepted by the system, or written to a file
_ANSWERED_STATES = (*_DELIVERED_STATES, "refused")


@dataclass(frozen=True)
class Acceptance:
    """The reply of the ministry's system that accepted an appeal: `id` is its own id of the appeal.

    If the appeal is not yet `registered` there, a later event reports the result.
    """

    id: str
    registered: bool


@dataclass(frozen=True)
class ExchangeBacklog:
    """The number of appeals whose latest state is not in the ministry's register, by their state.

    `oldest` is how long the oldest queued or sent message has waited, 0 if no message waits.
    """

    queued: int  # not sent yet
    sent: int  # sent, but not acknowledged yet
    refused: int
    oldest: dt.timedelta


def queue_appeal(settings: Settings, appeal: Appeal) -> Message | None:
    """Queue a new appeal in the caller's transaction, if the settings have a table [ministry]."""
    return _queue_message(settings, "appeal", appeal)


def queue_change(settings: Settings, change: AppealChange) -> Message | None:
    """Queue the changed state of an appeal, in the caller's transaction.

    It is sent after `change.delay`, until which the user can undo the change. Nothing is queued,
    and None returned, for a change that the ministry's system made itself, for one that its
    document does not show, or if the settings have no [ministry].
    """
    if change.actor == MINISTRY_ACTOR or change.action in _UNREPORTED_ACTIONS:
        return None
    return _queue_message(settings, "change", change.appeal, clock.now() + change.delay)


def queue_earlier_appeals(settings: Settings, since: dt.date, actor: str) -> int:
    """Queue the appeals registered since a day that were never queued; returns their number.

    They were registered before the ministry's system was connected. The oldest are queued first, in
    batches, so that nobody who registers an appeal has to wait. `actor` is recorded in the audit.
    """
    count, number = 0, ""
    while appeals := list(
        _unqueued_appeals(since).where(Appeal.number > number).limit(_BATCH_SIZE)
    ):
        with write_transaction():
            for appeal in appeals:
                # another process may have queued it since the query
                count += not _appeal_messages(appeal.number).exists() and bool(
                    queue_appeal(settings, appeal)
                )
        number = appeals[-1].number
    with write_transaction():
        audit.record_entry(actor, "ministry.catch_up", since.isoformat(), count=count)
    return count


def latest_message(appeal: Appeal) -> Message | None:
    """Return the newest message about an appeal, if any was ever queued."""
    messages = _appeal_messages(appeal.number)
    latest: Message | None = messages.order_by(Message.id.desc()).first()
    return latest


def unacknowledged_messages(limit: int = 200) -> list[Message]:
    """Return the newest message of each appeal if it is not acknowledged by the ministry.

    Refused ones are first, then the others, each from the oldest to the newest.
    """
    order = (Message.state.not_in(["refused", "expired"]), Message.id)
    return list(_unfinished_messages().order_by(*order).limit(limit))


def exchange_backlog() -> ExchangeBacklog:
    """Return how many appeals are queued, sent but not acknowledged, and refused.

    An appeal counts once, by its newest message. For `oldest`, every message that is queued or sent
    counts, even if it is not the newest of its appeal; refused ones do not: they await a person.
    """
    counts: dict[str, int] = dict.fromkeys(("queued", "sent", "refused"), 0)
    by_state = _unfinished_messages().select(
        Message.state, fn.COUNT(Message.id).alias("n"), fn.MIN(Message.created_at).alias("since")
    )
    oldest_open = Message.select(fn.MIN(Message.created_at).alias("since")).where(
        Message.channel == CHANNEL, Message.state.in_(outbox.OPEN_STATES)
    )
    # also open messages that are not the newest of their appeal
    waiting_since = [row.since for row in oldest_open if row.since]
    for row in by_state.group_by(Message.state):
        counts[EXCHANGE_STATES[row.state]] += row.n
        if EXCHANGE_STATES[row.state] != "refused":
            waiting_since.append(row.since)
    now = clock.now()
    return ExchangeBacklog(**counts, oldest=now - min(waiting_since, default=now))


def is_appeal_known(message: Message) -> bool:
    """Return True if the ministry's system has the message's appeal, as far as we know.

    It has if a message about the appeal was accepted, or written to a file, and the system has not
    reported since that it lost the appeal. This message is then sent as a change of the appeal.
    """
    is_delivered = (Message.state.in_(_DELIVERED_STATES), Message.foreign_id != "")
    return bool(_appeal_messages(message.cause).where(*is_delivered).exists())


def is_superseded(message: Message) -> bool:
    """Return True if a later message about its appeal was sent, so that this one is obsolete."""
    is_later = (Message.id > message.id, Message.state.in_(_DELIVERED_STATES))
    return bool(_appeal_messages(message.cause).where(*is_later).exists())


def record_acceptance(message: Message, gateway: str, acceptance: Acceptance) -> None:
    """Store that the ministry's system accepted a claimed message.

    `gateway` is the name under which the outbox records how it was sent. A mark that the message
    may have been sent twice is removed: that system counts messages with the same key once.
    """
    with write_transaction():
        outbox.mark_sent(message, gateway, acceptance.id)
        if acceptance.registered:
            outbox.mark_delivered(message)
        Message.update(perhaps_twice=False).where(Message.id == message.id).execute()
        live.publish_topics("appeals")


def record_refusal(message: Message, trouble: str, detail: str) -> None:
    """Store that the ministry refused a message, or that the settings lack a ministry code for it.

    `trouble` is the kind of refusal, "unmapped" for a missing code; `detail` is the reason as text.
    A retry is sent with a new idempotency key, because the system might repeat its refusal for the
    old one.
    """
    with write_transaction():
        outbox.mark_undelivered(message, trouble, detail)
        _change_idempotency_key(message)
        live.publish_topics("appeals")


def idempotency_key(message: Message) -> str:
    """Return the key by which the ministry's system recognises a repeated message.

    It is the same in each attempt, and changes after a refusal, or if the system has lost the
    appeal.
    """
    return f"{outbox.gateway_key(message)}-{message.payload.get('round', 0)}"


def record_receipt(number: str, version: int | None, trouble: str = "", detail: str = "") -> bool:
    """Store the report that the ministry's system has registered or refused an appeal's version.

    `number` is the appeal's; `trouble` is the kind of refusal, "" if it was registered; `detail` is
    the reason of the refusal. Without `version`, the report is about the newest message that the
    system has answered, else the newest that we tried to send. A later report replaces an earlier
    one. Returns True if there is such a message; else nothing is stored.
    """
    messages = _appeal_messages(number).where(Message.state != "expired")
    if version is None:
        messages = messages.where(Message.attempts > 0)
    else:
        messages = messages.where(Message.key == _message_key(number, version))
    message = messages.order_by(
        Message.state.in_(_ANSWERED_STATES).desc(), Message.id.desc()
    ).first()
    if message:
        record_decision(message, trouble, detail)
    return bool(message)


def record_decision(message: Message, trouble: str = "", detail: str = "") -> None:
    """Store that the ministry's system registered or refused a message.

    `trouble` is the kind of refusal, "" if it was registered; `detail` is the reason of the
    refusal. The decision replaces an earlier one. A retry of a refused message is sent with a new
    idempotency key.
    """
    with write_transaction():
        Message.update(
            state="refused" if trouble else "delivered",
            ended_at=clock.now(),
            claimed_until=None,
            trouble=trouble,
            trouble_text=detail[:500] if trouble else "",
        ).where(Message.id == message.id).execute()
        if trouble:
            _change_idempotency_key(message)
        live.publish_topics("appeals", "outbox")


def retry_refused_messages(actor: str) -> int:
    """Queue again the newest message of each appeal whose newest message is refused.

    Returns the number of messages. `actor` is recorded in the audit.
    """
    count, last_id = 0, 0
    query = (
        _unfinished_messages()
        .where(Message.state == "refused")
        .order_by(Message.id)
        .limit(_BATCH_SIZE)
    )
    while batch := list(query.where(Message.id > last_id)):
        with write_transaction():
            count += sum(outbox.requeue_message(message) for message in batch)
        last_id = batch[-1].id
    if count:
        with write_transaction():
            audit.record_entry(actor, "ministry.retry", count=count)
            live.publish_topics("appeals")
    return count


def mark_appeal_unknown(message: Message) -> None:
    """Store that the ministry's system no longer knows the message's appeal.

    The appeal is then sent as a new one, not as a change, and with a new idempotency key.
    """
    with write_transaction():
        Message.update(foreign_id="").where(
            Message.channel == CHANNEL, Message.cause == message.cause
        ).execute()
        _change_idempotency_key(message)


def _queue_message(
    settings: Settings, purpose: str, appeal: Appeal, due_at: dt.datetime | None = None
) -> Message | None:
    """Queue a snapshot of an appeal, if the settings have a table [ministry].

    `purpose` is "appeal" or "change". It is sent at `due_at`, by default at once.
    """
    if not settings.ministry:
        return None
    version = Handling.get_by_id(appeal.id).version
    return outbox.queue_message(
        CHANNEL,
        purpose,
        appeal.number,
        key=_message_key(appeal.number, version),
        payload=mapping.appeal_snapshot(Appeal.get_by_id(appeal.id)),
        cause=appeal.number,
        due_at=due_at,
        lifetime=_RETENTION_PERIOD,
    )


def _unqueued_appeals(since: dt.date):  # type: ignore[no-untyped-def]
    """Return the query of the appeals registered since a day that have no message, by number."""
    queued = Message.select(Message.id).where(
        Message.cause == Appeal.number, Message.channel == CHANNEL
    )
    appeals = Appeal.select().join(Handling).where(Handling.registered_on >= since)
    return appeals.where(~fn.EXISTS(queued)).order_by(Appeal.number)


def _change_idempotency_key(message: Message) -> None:
    """Change the key of the next attempt: for the old one, the system might repeat its response."""
    next_round = message.payload.get("round", 0) + 1
    Message.update(payload=message.payload | {"round": next_round}).where(
        Message.id == message.id
    ).execute()


def _message_key(number: str, version: int | None) -> str:
    """Return the outbox's unique key of the message about a version of an appeal."""
    return f"ministry:{number}:{version}"


def _appeal_messages(number: str) -> ModelSelect:
    """Return the query of all messages to the ministry about the appeal with this number."""
    return Message.select().where(Message.cause == number, Message.channel == CHANNEL)


def _unfinished_messages() -> ModelSelect:
    """Return the query of the newest message of each appeal, without acknowledged messages."""
    newer = Message.alias()
    later = newer.select(newer.id).where(
        newer.cause == Message.cause, newer.channel == CHANNEL, newer.id > Message.id
    )
    return Message.select().where(
        Message.state.in_(_UNFINISHED_STATES), Message.channel == CHANNEL, ~fn.EXISTS(later)
    )
