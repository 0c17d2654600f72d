"""What must reach the ministry's system, appeal by appeal, and where each stands.

The outbox holds it: a message's recipient is the appeal's number, so one appeal's messages go out
in order. Where an appeal stands there is where its newest message does.
"""

import datetime as dt
from dataclasses import dataclass

from peewee import fn

from appliance.casework.ministry import mapping
from appliance.core import audit, clock, live, outbox
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import Appeal, Handling, Message

CHANNEL = "ministry"
STANDS = {  # state of the newest message: where the appeal stands
    "pending": "queued",
    "claimed": "queued",
    "held": "queued",  # until somebody releases or drops it after a restore
    "sent": "sent",
    "delivered": "acknowledged",
    "refused": "refused",
    "expired": "refused",
}
_UNFINISHED = ("pending", "claimed", "held", "sent", "refused", "expired")
_KEPT = dt.timedelta(days=3650)  # nothing of this comes too late
_PIECE = 100  # appeals put in one transaction
_THERE = ("sent", "delivered")
_SAID = (*_THERE, "refused")


@dataclass(frozen=True)
class Taken:
    """What the system said: its own name for the appeal, and whether it stands in its register.

    Not yet `registered`, it will tell among the answers what became of it.
    """

    id: str
    registered: bool


@dataclass(frozen=True)
class Standing:
    """Appeals that are not yet in the ministry's register: how many, and the oldest's age."""

    queued: int
    sent: int
    refused: int
    oldest: dt.timedelta


def registered(settings: Settings, appeal: Appeal) -> Message | None:
    """Put a new appeal; inside its transaction. None on a site without [ministry]."""
    return _put(settings, "appeal", appeal)


def changed(
    settings: Settings,
    appeal: Appeal,
    delay: dt.timedelta = dt.timedelta(),
) -> Message | None:
    """Put an appeal's change, to go after `delay`; inside its transaction. Nothing new when it has
    not changed."""
    return _put(settings, "change", appeal, clock.now() + delay)


def catch_up(settings: Settings, since: dt.date, by: str) -> int:
    """Put the appeals registered from a day on of which nothing was ever put; returns how many.

    For those that were there before the system was connected. The oldest first, in pieces, so
    that nobody who registers an appeal meanwhile waits.
    """
    count, number = 0, ""
    while appeals := list(_never_put(since).where(Appeal.number > number).limit(_PIECE)):
        with writing():
            for appeal in appeals:
                count += not _about(appeal.number).exists() and bool(registered(settings, appeal))
        number = appeals[-1].number
    with writing():
        audit.record(by, "ministry.catch_up", since.isoformat(), count=count)
    return count


def of_appeal(appeal: Appeal) -> Message | None:
    """The newest message about an appeal; None when none was ever put."""
    return _about(appeal.number).order_by(Message.id.desc()).first()


def ageing(limit: int = 200) -> list[Message]:
    """The newest message of each appeal that is not acknowledged, refused ones first, the oldest
    of each first."""
    order = (Message.state.not_in(["refused", "expired"]), Message.id)
    return list(_unfinished().order_by(*order).limit(limit))


def standing() -> Standing:
    """How many appeals wait, were sent, were refused; for how long the oldest has waited."""
    states: dict[str, int] = dict.fromkeys(("queued", "sent", "refused"), 0)
    counted = _unfinished().select(
        Message.state, fn.COUNT(Message.id).alias("n"), fn.MIN(Message.created_at).alias("since")
    )
    first = Message.select(fn.MIN(Message.created_at).alias("since")).where(
        Message.channel == CHANNEL, Message.state.in_(outbox.OPEN)
    )
    since = [row.since for row in first if row.since]  # it may be followed by a newer one
    for row in counted.group_by(Message.state):
        states[STANDS[row.state]] += row.n
        if STANDS[row.state] != "refused":
            since.append(row.since)
    now = clock.now()
    return Standing(**states, oldest=now - min(since, default=now))


def is_known(message: Message) -> bool:
    """Whether the ministry's system has the message's appeal already."""
    there = (Message.state.in_(_THERE), Message.foreign_id != "")
    return _about(message.cause).where(*there).exists()


def is_overtaken(message: Message) -> bool:
    """Whether a later state of the appeal went out before."""
    later = (Message.id > message.id, Message.state.in_(_THERE))
    return _about(message.cause).where(*later).exists()


def taken(message: Message, gateway: str, said: Taken) -> None:
    """The system took a claimed message; with our key, twice is once there."""
    with writing():
        outbox.sent(message, gateway, said.id)
        if said.registered:
            outbox.delivered(message)
        Message.update(perhaps_twice=False).where(Message.id == message.id).execute()
        live.publish("appeals")


def refused(message: Message, trouble: str, said: str) -> None:
    """The system will not have it, or a code is missing; tried again, the system is asked anew."""
    with writing():
        outbox.refused(message, trouble, said)
        _ask_anew(message)
        live.publish("appeals")


def key_there(message: Message) -> str:
    """Our key for what the system shall do once; the same in each attempt until it has refused."""
    return f"{outbox.key_of(message)}-{message.payload.get('round', 0)}"


def set_receipt(number: str, version: int | None, trouble: str = "", said: str = "") -> bool:
    """The system tells that it has an appeal's version on register, or (`trouble`) will not.

    Without a version the newest one that it has said something of is meant, else the newest that
    was tried. Its last word holds. Whether there is such a message.
    """
    about = _about(number).where(Message.state != "expired")
    if version is None:
        about = about.where(Message.attempts > 0)
    else:
        about = about.where(Message.key == _key(number, version))
    message = about.order_by(Message.state.in_(_SAID).desc(), Message.id.desc()).first()
    if message:
        decided(message, trouble, said)
    return bool(message)


def decided(message: Message, trouble: str = "", said: str = "") -> None:
    """The system has a message on register, or (`trouble`) will not; also after it said otherwise.

    Refused and tried again, it is asked anew.
    """
    with writing():
        Message.update(
            state="refused" if trouble else "delivered",
            ended_at=clock.now(),
            claimed_until=None,
            trouble=trouble,
            trouble_text=said[:500] if trouble else "",
        ).where(Message.id == message.id).execute()
        if trouble:
            _ask_anew(message)
        live.publish("appeals", "outbox")


def try_all_again(by: str) -> int:
    """Another try of each appeal that stands refused; returns how many."""
    count, after = 0, 0
    refused = _unfinished().where(Message.state == "refused").order_by(Message.id).limit(_PIECE)
    while piece := list(refused.where(Message.id > after)):
        with writing():
            count += sum(outbox.try_again(message) for message in piece)
        after = piece[-1].id
    if count:
        with writing():
            audit.record(by, "ministry.retry", count=count)
            live.publish("appeals")
    return count


def forget(message: Message) -> None:
    """The system does not know the message's appeal any more: it is sent whole once more."""
    with writing():
        Message.update(foreign_id="").where(
            Message.channel == CHANNEL, Message.cause == message.cause
        ).execute()
        _ask_anew(message)


def _put(
    settings: Settings, purpose: str, appeal: Appeal, due_at: dt.datetime | None = None
) -> Message | None:
    if not settings.ministry:
        return None
    version = Handling.get_by_id(appeal.id).version
    return outbox.put(
        CHANNEL,
        purpose,
        appeal.number,
        key=_key(appeal.number, version),
        payload=mapping.snapshot(Appeal.get_by_id(appeal.id)),
        cause=appeal.number,
        due_at=due_at,
        kept=_KEPT,
    )


def _never_put(since: dt.date):  # type: ignore[no-untyped-def]
    put = Message.select(Message.id).where(
        Message.cause == Appeal.number, Message.channel == CHANNEL
    )
    registered_since = Appeal.select().join(Handling).where(Handling.registered_on >= since)
    return registered_since.where(~fn.EXISTS(put)).order_by(Appeal.number)


def _ask_anew(message: Message) -> None:
    """A system that gives the same answer to the same key shall not know the next attempt's."""
    after = message.payload.get("round", 0) + 1
    Message.update(payload=message.payload | {"round": after}).where(
        Message.id == message.id
    ).execute()


def _key(number: str, version: int | None) -> str:
    return f"ministry:{number}:{version}"


def _about(number: str):  # type: ignore[no-untyped-def]  # peewee's query has no type
    return Message.select().where(Message.cause == number, Message.channel == CHANNEL)


def _unfinished():  # type: ignore[no-untyped-def]
    newer = Message.alias()
    later = newer.select(newer.id).where(
        newer.cause == Message.cause, newer.channel == CHANNEL, newer.id > Message.id
    )
    return Message.select().where(
        Message.state.in_(_UNFINISHED), Message.channel == CHANNEL, ~fn.EXISTS(later)
    )
