"""Claiming messages: a sender reserves each message for itself before it sends it.

So no message is sent by two processes at once, and the messages to a recipient are sent in order. A
claim changes the message's state from `pending` to `claimed`, in a conditional UPDATE that only one
process can win.
"""

import datetime as dt
from collections.abc import Collection
from itertools import takewhile

from peewee import fn

from appliance.core import clock, process_id
from appliance.core.db import write_transaction
from appliance.core.outbox.tables import Message, SendAttempt

# The claims of a sender that no longer runs are released at once, of one that hangs after this.
CLAIM_LEASE = dt.timedelta(minutes=10)


def claim_next(channel: str, excluded_recipients: Collection[str] = ()) -> Message | None:
    """Claim and return the message of a channel that has been due longest; None if nothing is due.

    The caller then sends it, and no other process does. Messages to `excluded_recipients` are
    skipped. Of each recipient only the oldest open (pending or claimed) message is claimed, so that
    messages arrive in order; one whose planned time has not come, or whose text no account accepts
    yet (trouble "unapproved"), does not block later ones. The attempt is recorded as a SendAttempt,
    which sending limits count.
    """
    now = clock.now()
    earlier = Message.alias()
    earlier_open = earlier.select(earlier.id).where(
        earlier.recipient == Message.recipient,
        earlier.channel == Message.channel,
        earlier.state.in_(["pending", "claimed"]),
        earlier.id < Message.id,
        earlier.wanted_at <= now,
        earlier.trouble != "unapproved",
    )
    due = (
        Message.select()
        .where(
            Message.channel == channel,
            Message.state == "pending",
            Message.due_at <= now,
            Message.expires_at > now,
            Message.recipient.not_in(list(excluded_recipients)),
            ~fn.EXISTS(earlier_open),
        )
        .order_by(Message.due_at, Message.id)
    )
    while message := due.clone().first():  # clone, because a query caches its result
        with write_transaction():
            at = clock.now()
            # If another sender has claimed it since it was read, the next one due is tried.
            if _mark_claimed(at, Message.id == message.id):
                recipient = message.recipient
                SendAttempt.insert(channel=channel, recipient=recipient, at=at).execute()
                claimed_message: Message = Message.get_by_id(message.id)
                return claimed_message
    return None


def claim_similar(message: Message, min_count: int, max_count: int) -> list[Message]:
    """Claim and return further due messages that can be sent together with a claimed `message`.

    They have its channel, recipient and purpose. `message` itself is not returned again and does
    not count. Returns at most `max_count`, the oldest first; if there are fewer than `min_count`,
    claims nothing and returns [].
    """
    now = clock.now()
    similar = (
        Message.select()
        .where(
            Message.channel == message.channel,
            Message.recipient == message.recipient,
            Message.purpose == message.purpose,
            Message.state == "pending",
            Message.expires_at > now,
        )
        .order_by(Message.id)
        .limit(max_count)
    )
    with write_transaction():
        # Up to the first message that has to wait: no message overtakes it.
        message_ids = [row.id for row in takewhile(lambda row: row.due_at <= now, similar)]
        if len(message_ids) < min_count:
            return []
        # With the same time: they are part of the attempt to send `message`.
        _mark_claimed(message.tried_at, Message.id.in_(message_ids))
        return list(Message.select().where(Message.id.in_(message_ids)).order_by(Message.id))


def claim_pending(channel: str, max_count: int) -> list[Message]:
    """Claim and return at most `max_count` pending messages of a channel, whether due or not.

    It is for messages that leave together in a file, which need not wait for a time of retry.
    Recipients to whom another message is being sent are skipped, so that no message overtakes it.
    The oldest message is first.
    """
    in_transit = Message.alias()
    busy_recipients = in_transit.select(in_transit.recipient).where(
        in_transit.channel == channel, in_transit.state == "claimed"
    )
    with write_transaction():
        waiting = Message.select().where(
            Message.channel == channel,
            Message.state == "pending",
            Message.recipient.not_in(busy_recipients),
        )
        message_ids = [row.id for row in waiting.order_by(Message.id).limit(max_count)]
        _mark_claimed(clock.now(), Message.id.in_(message_ids))
        return list(Message.select().where(Message.id.in_(message_ids)).order_by(Message.id))


def claim_for_cause(channel: str, cause: str) -> list[Message]:
    """Claim and return a channel's due messages about one `cause`, such as a fault, oldest first.

    It is for a process that sends these itself, such as an alarm, if the usual sender does not run.
    `cause` is the text with which they were queued (see `queue_message`).
    """
    now = clock.now()
    with write_transaction():
        due = Message.select().where(
            Message.channel == channel,
            Message.cause == cause,
            Message.state == "pending",
            Message.due_at <= now,
        )
        message_ids = [row.id for row in due.order_by(Message.id)]
        _mark_claimed(now, Message.id.in_(message_ids))
        return list(Message.select().where(Message.id.in_(message_ids)).order_by(Message.id))


def recent_attempts(channel: str, seconds: float) -> dict[str, list[dt.datetime]]:
    """Return, by recipient, the times of the attempts to send in the last `seconds`, oldest first.

    A sender uses them to keep a service's rate limit. Messages sent together count once. The times
    are from the database, which stores them for a few minutes: so the limit also binds a process
    that has just started, and two senders at once.
    """
    now = clock.now()
    since = now - dt.timedelta(seconds=seconds)
    conditions = (SendAttempt.channel == channel, SendAttempt.at > since, SendAttempt.at <= now)
    times: dict[str, list[dt.datetime]] = {}
    for attempt in SendAttempt.select().where(*conditions).order_by(SendAttempt.at):
        times.setdefault(attempt.recipient, []).append(attempt.at)
    return times


def redirect_messages(channel: str, old_recipient: str, new_recipient: str) -> int:
    """Change the recipient of a channel's unsent messages; returns the number of these messages.

    It is for a recipient whose address has changed. Unsent are the pending and the claimed ones.
    """
    open_conditions = (Message.channel == channel, Message.state.in_(["pending", "claimed"]))
    with write_transaction():
        count: int = (
            Message.update(recipient=new_recipient)
            .where(Message.recipient == old_recipient, *open_conditions)
            .execute()
        )
    return count


def _mark_claimed(now: dt.datetime, *conditions: object) -> int:
    """Claim, for this process, the pending messages that meet all `conditions`; returns how many.

    `now` is recorded as the time of the attempt.
    """
    columns = {
        "claimed_until": now + CLAIM_LEASE,
        "claimed_by": process_id.this_process_name(),
        "tried_at": now,
    }
    count: int = (
        Message.update(state="claimed", attempts=Message.attempts + 1, **columns)
        .where(Message.state == "pending", *conditions)
        .execute()
    )
    return count
