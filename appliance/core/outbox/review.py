"""Messages on hold after a restore of the database: a person decides whether to send them.

The restored database would send them, but the replaced one may have sent them already. The services
are queried about what they know of them; then each is released, to be sent, or dropped.
"""

import datetime as dt
from collections.abc import Collection

from peewee import ModelSelect

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.outbox.tables import HeldMessage, Message

# What a service knows of a message, the most conclusive status first. `taken`: it has accepted the
# message; `absent`: it never received it; `unknown`: it cannot be queried, and may have sent a
# message that another service reports as absent.
SERVICE_STATUSES = ("delivered", "taken", "refused", "unknown", "absent")
FINAL_STATUSES = ("delivered", "refused", "absent")
_QUERY_INTERVAL = dt.timedelta(minutes=10)  # until the same message is queried again
_RELEASE_LIFETIME = dt.timedelta(days=1)  # in which a released message may still be sent
_ACTIONS = {"release": "outbox.send", "drop": "outbox.drop"}


def messages_to_review(limit: int | None = None, offset: int = 0) -> list[HeldMessage]:
    """Return messages that a restore put on hold, the oldest first, for the page to decide on them.

    Each HeldMessage has its message of the outbox as `message`. At most `limit` are returned, after
    the first `offset` ones; without a limit (None) all are returned, whatever the offset.
    """
    rows = _held_messages_query().order_by(Message.id)
    return list(rows.limit(limit).offset(offset) if limit else rows)


def held_message_count() -> int:
    """Return the number of messages on hold after a restore, on which a person must decide."""
    count: int = _held_messages_query().count()
    return count


def held_messages_to_look_up(channel: str, limit: int) -> list[HeldMessage]:
    """Return at most `limit` messages on hold about which the channel's services must be queried.

    They were not queried about them in the last _QUERY_INTERVAL, and the last reported status
    (`word`) can still change: it is not in FINAL_STATUSES. Messages never queried come first.
    """
    due = HeldMessage.asked_at.is_null() | (HeldMessage.asked_at < clock.now() - _QUERY_INTERVAL)
    rows = _held_messages_query().where(
        due, Message.channel == channel, HeldMessage.word.not_in(FINAL_STATUSES)
    )
    return list(rows.order_by(HeldMessage.asked_at, Message.id).limit(limit))


def record_service_status(held_message: HeldMessage, account: str, status: str) -> None:
    """Record what a service knows of a message on hold: whether it was sent already.

    `status` is one of SERVICE_STATUSES, `account` the name of the account at the service ("" if no
    service could be queried). The state of the message itself does not change.
    """
    with write_transaction():
        HeldMessage.update(account=account, word=status, asked_at=clock.now()).where(
            HeldMessage.id == held_message.id
        ).execute()
        live.publish_topics("outbox")


def hold_if_old(message: Message, occurred_at: dt.datetime) -> bool:
    """Put a new message on hold if it is about an event before the last restore of the database.

    After a restore, calls are read again from the event log and their messages are queued again,
    but the replaced site may have sent them. `occurred_at` is the time of the event. Call it in the
    transaction that queues the message. Returns True if the message is on hold.
    """
    # A restore leaves a row that is no message; its creation time is that of the restore. A message
    # that is not pending was queued before: `queue_message` has only returned it.
    marks = Message.select().where(Message.channel == "none", Message.purpose == "restore")
    last_restore = marks.order_by(Message.id.desc()).first()
    if message.state != "pending" or last_restore is None or occurred_at > last_restore.created_at:
        return False
    Message.update(state="held").where(Message.id == message.id).execute()
    HeldMessage.insert(message=message.id, held_at=clock.now()).on_conflict_ignore().execute()
    return True


def release_messages(message_ids: Collection[int] | None, by: str) -> int:
    """Release messages from their hold after a restore, so that they are sent; returns how many.

    `message_ids` are the ids of the messages (None: all on hold); an id that is not on hold is
    ignored. `by` is the user, for the audit.
    """
    now = clock.now()
    columns = {"state": "pending", "wanted_at": now, "due_at": now, "ended_at": None}
    columns |= {"claimed_until": None, "trouble": "", "trouble_text": ""}
    return _finish_review(message_ids, by, "release", columns, now)


def drop_messages(message_ids: Collection[int] | None, by: str) -> int:
    """Mark messages on hold as refused, so that they are never sent; returns their number.

    For `message_ids` and `by` see `release_messages`.
    """
    now = clock.now()
    return _finish_review(
        message_ids, by, "drop", {"state": "refused", "trouble": "dropped", "ended_at": now}, now
    )


def _finish_review(
    message_ids: Collection[int] | None,
    by: str,
    action: str,
    columns: dict[str, object],
    now: dt.datetime,
) -> int:
    """End the hold of messages: set their `columns`, and audit the action; returns their number.

    `action` is "release", which also gives each message time to be sent, or "drop". For
    `message_ids` and `by` see `release_messages`.
    """
    with write_transaction():
        rows = (
            _held_messages_query()
            if message_ids is None
            else _held_messages_query().where(Message.id.in_(list(message_ids)))
        )
        selection = list(rows.order_by(Message.id))
        for row in selection:
            message = row.message
            lifetime = (
                {"expires_at": max(message.expires_at, now + _RELEASE_LIFETIME)}
                if action == "release"
                else {}
            )
            Message.update(columns | lifetime).where(Message.id == message.id).execute()
            # What was known when the person decided.
            detail = {"former": row.former, "word": row.word}
            audit.record_entry(by, _ACTIONS[action], str(message.id), **detail)
            row.delete_instance()
        if selection:
            live.publish_topics("outbox")
    return len(selection)


def _held_messages_query() -> ModelSelect:
    """Return the query of the messages on hold: HeldMessage rows, each with its Message joined."""
    rows = HeldMessage.select(HeldMessage, Message).join(Message)
    return rows.where(Message.state == "held")
