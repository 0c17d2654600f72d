"""Messages on hold after a restore: listed with what is known of them, released or dropped."""

import datetime as dt
from collections.abc import Collection

from peewee import ModelSelect

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.outbox.tables import HeldMessage, Message

# What a service knows of a message, the word that settles most first. `unknown`: it cannot be
# asked, so that what another one says to be absent may have gone out by it.
WORDS = ("delivered", "taken", "refused", "unknown", "absent")
FINAL = ("delivered", "refused", "absent")
_AGAIN = dt.timedelta(minutes=10)  # until a service is asked about the same message again
_USE = dt.timedelta(days=1)  # for which a released message may still go out
_ACTIONS = {"release": "outbox.send", "drop": "outbox.drop"}


def messages_to_review(limit: int | None = None, offset: int = 0) -> list[HeldMessage]:
    """Messages on hold, the oldest first, with their rows of the outbox."""
    rows = _rows().order_by(Message.id)
    return list(rows.limit(limit).offset(offset) if limit else rows)


def review_count() -> int:
    """How many messages are on hold."""
    return _rows().count()


def to_ask(channel: str, limit: int) -> list[HeldMessage]:
    """Messages on hold in a channel without a final answer of a service, those not yet asked
    about first."""
    due = HeldMessage.asked_at.is_null() | (HeldMessage.asked_at < clock.now() - _AGAIN)
    rows = _rows().where(due, Message.channel == channel, HeldMessage.word.not_in(FINAL))
    return list(rows.order_by(HeldMessage.asked_at, Message.id).limit(limit))


def note(row: HeldMessage, account: str, word: str) -> None:
    """Write down what a service says about a message on hold."""
    with writing():
        HeldMessage.update(account=account, word=word, asked_at=clock.now()).where(
            HeldMessage.id == row.id
        ).execute()
        live.publish("outbox")


def hold_if_old(message: Message, moment: dt.datetime) -> bool:
    """Put a new message about something that happened at a moment on hold, when that was before the
    last restore: the replaced site has perhaps sent it. In the transaction that puts it.

    Calls are read again from the event log after a restore, and what they cause is put again.
    """
    marks = Message.select().where(Message.channel == "none", Message.purpose == "restore")
    restored = marks.order_by(Message.id.desc()).first()
    if message.state != "pending" or restored is None or moment > restored.created_at:
        return False
    Message.update(state="held").where(Message.id == message.id).execute()
    HeldMessage.insert(message=message.id, held_at=clock.now()).on_conflict_ignore().execute()
    return True


def release(numbers: Collection[int] | None, by: str) -> int:
    """Send messages on hold after all (None: each of them); returns how many."""
    now = clock.now()
    columns = {"state": "pending", "wanted_at": now, "due_at": now, "ended_at": None}
    columns |= {"claimed_until": None, "trouble": "", "trouble_text": ""}
    return _end(numbers, by, "release", columns, now)


def drop(numbers: Collection[int] | None, by: str) -> int:
    """Never send messages on hold (None: each of them); returns how many."""
    now = clock.now()
    return _end(
        numbers, by, "drop", {"state": "refused", "trouble": "dropped", "ended_at": now}, now
    )


def _end(
    numbers: Collection[int] | None,
    by: str,
    action: str,
    columns: dict[str, object],
    now: dt.datetime,
) -> int:
    with writing():
        rows = _rows() if numbers is None else _rows().where(Message.id.in_(list(numbers)))
        selection = list(rows.order_by(Message.id))
        for row in selection:
            message = row.message
            use = {"expires_at": max(message.expires_at, now + _USE)} if action == "release" else {}
            Message.update(columns | use).where(Message.id == message.id).execute()
            said = {"former": row.former, "word": row.word}
            audit.record(by, _ACTIONS[action], str(message.id), **said)
            row.delete_instance()
        if selection:
            live.publish("outbox")
    return len(selection)


def _rows() -> ModelSelect:
    rows = HeldMessage.select(HeldMessage, Message).join(Message)
    return rows.where(Message.state == "held")
