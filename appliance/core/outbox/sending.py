"""What became of a message that was sent: delivered, refused, expired, or to be tried again."""

import datetime as dt
import random
import re
from collections.abc import Collection

from peewee import fn

from appliance.core import audit, clock, live, process_id
from appliance.core.db import writing
from appliance.core.outbox.tables import EarlyReport, Message, SendAttempt

_FIRST, _LONGEST = 15.0, 1800.0  # seconds between attempts
NEVER_LEFT = ("unreachable", "certificate")  # troubles in which nothing left the box
_KEPT = dt.timedelta(minutes=5)  # attempts
_OFFLINE = 30.0  # the longest while nothing can leave the box: asking again costs nobody anything


def sent(message: Message, gateway: str, foreign_id: str = "") -> None:
    """The gateway took it; what becomes of it is told later, or never.

    That holds whoever has claimed it since.
    """
    with writing():
        now = clock.now()
        _move(
            message,
            ("pending", "claimed", "expired"),
            "sent",
            sent_at=now,
            ended_at=None,
            gateway=gateway,
            foreign_id=foreign_id,
            trouble="",
            trouble_text="",
        )
        early = (EarlyReport.gateway == gateway, EarlyReport.foreign_id == foreign_id)
        if foreign_id and (report := EarlyReport.get_or_none(*early)):
            report.delete_instance()
            _end_by_report(message, report.outcome)


def key_of(message: Message) -> str:
    """Our own name for a message at a gateway; the same in each attempt until somebody asks for
    another try of what had ended."""
    tries = message.payload.get("tries", 0)
    return f"m{message.id}-{tries}" if tries else f"m{message.id}"


def reported(gateway: str, foreign_id: str, outcome: str, *, ours: bool) -> bool:
    """A gateway tells that a message was `delivered` or `refused`; whether the message is known.

    The name is the gateway's, or key_of the message (`ours`). A report of a message that the
    gateway has not yet said to have taken is kept for that moment; a second one changes nothing.
    """
    with writing():
        if ours:
            message = _named(foreign_id)
            if not message:
                return False
            if outcome == "refused" and key_of(message) != foreign_id:
                return True  # of an earlier try
            if message.gateway in ("", gateway):
                return _end_by_report(message, outcome)
        else:
            here = (Message.gateway == gateway, Message.foreign_id == foreign_id)
            newest = Message.select().where(*here).order_by(Message.id.desc())
            if foreign_id and (message := newest.first()):  # a modem gives a name again in the end
                return _end_by_report(message, outcome)
        row = {"gateway": gateway, "foreign_id": foreign_id[:100], "outcome": outcome}
        EarlyReport.insert(row | {"at": clock.now()}).on_conflict_ignore().execute()
    return False


def forget_early_reports() -> int:
    """Drop reports whose message did not come within a day; returns how many."""
    with writing():
        day = clock.now() - dt.timedelta(days=1)
        return EarlyReport.delete().where(EarlyReport.at < day).execute()


def retry(
    message: Message,
    trouble: str,
    said: str = "",
    *,
    perhaps_sent: bool = False,
    by: str = "",
    wait: float | None = None,
) -> None:
    """It did not go out, or nobody knows: try again later, ever more rarely.

    `by`: the gateway that has perhaps taken it; the next attempt is its.
    `wait`: in so many seconds, as the other side asks.
    """
    if wait is None:
        wait = pause(message, trouble)
    twice = {"perhaps_twice": True, "gateway": by} if perhaps_sent else {}
    _move(
        message,
        ("claimed",),
        "pending",
        mine=True,
        due_at=clock.now() + dt.timedelta(seconds=wait),
        trouble=trouble,
        trouble_text=said[:500],
        **twice,
    )


def pause(message: Message, trouble: str) -> float:
    """Seconds until the next attempt: ever more, and never the same for two."""
    longest = _OFFLINE if trouble in NEVER_LEFT else _LONGEST
    wait = min(_FIRST * 2 ** min(message.attempts - 1, 10), longest)
    return wait * random.uniform(0.8, 1.2)  # noqa: S311  a jitter, no secret


def declined(message: Message, trouble: str, said: str = "") -> None:
    """The sender is told that the other side will never have it."""
    now = clock.now()
    _move(
        message,
        ("claimed",),
        "refused",
        mine=True,
        ended_at=now,
        trouble=trouble,
        trouble_text=said[:500],
    )


def refused(message: Message, trouble: str, said: str = "") -> None:
    """It was reported not to have reached its recipient."""
    _end(message, "refused", trouble=trouble, trouble_text=said[:500])


def delivered(message: Message) -> None:
    """It reached its recipient; also when that is told before the gateway's own answer."""
    _end(message, "delivered", trouble="", trouble_text="")


def recover() -> int:
    """Give back what a dead sender had claimed; it may have gone out. Returns how many.

    What a clock that was ahead wrote or tried is dated back, and waits no longer than it should.
    Attempts that no limit asks about any more are forgotten.
    """
    rows = Message.select(Message.claimed_by).where(Message.state == "claimed").distinct()
    dead = [row.claimed_by for row in rows if not process_id.lives(row.claimed_by)]
    with writing():
        now = clock.now()  # not before others have ended: what they wrote is not ahead
        late = Message.claimed_until < now
        lost = (Message.state == "claimed", Message.claimed_by.in_(dead) | late)
        _date_back(now)
        SendAttempt.delete().where(~SendAttempt.at.between(now - _KEPT, now)).execute()
        return (
            Message.update(
                state="pending", claimed_until=None, trouble="sender_died", perhaps_twice=True
            )
            .where(*lost)
            .execute()
        )


def expire() -> int:
    """End what came too late to be of use; it stays on the list. Returns how many."""
    now = clock.now()
    with writing():
        count = (
            Message.update(state="expired", ended_at=now)
            .where(Message.state == "pending", Message.expires_at <= now)
            .execute()
        )
        if count:
            live.publish("outbox")
    return count


def try_again(message: Message, by: str = "") -> bool:
    """Have another try of what was refused, has expired or waits; whether there will be one.

    `by`: who asked for this one alone; that is in the audit then.
    """
    now = clock.now()
    waited = message.state == "pending" and message.wanted_at < now
    if message.channel == "sms" and message.state != "pending":
        tries = message.payload.get("tries", 0) + 1
        payload = message.payload | {"tries": tries}
    else:
        payload = message.payload
    with writing():
        moved = (
            Message.update(
                state="pending",
                payload=payload,
                wanted_at=message.wanted_at if waited else now,
                due_at=now,
                expires_at=max(message.expires_at, now + dt.timedelta(days=1)),
                ended_at=None,
                foreign_id="",
            )
            .where(Message.id == message.id, Message.state.in_(["pending", "refused", "expired"]))
            .execute()
        )
        if moved and by:
            audit.record(by, "outbox.retry", str(message.id))
        live.publish("outbox")
    return bool(moved)


def hasten(channel: str, recipient: str) -> int:
    """A recipient can be reached again: what waits there for its next attempt is due at once.

    Returns how much.
    """
    now = clock.now()
    waits = (Message.state == "pending", Message.attempts > 0, Message.due_at > now)
    with writing():
        return (
            Message.update(due_at=now)
            .where(Message.channel == channel, Message.recipient == recipient, *waits)
            .execute()
        )


def _named(key: str) -> Message | None:
    """The short message of whose tries one has this name at a gateway."""
    found = re.fullmatch(r"m(\d{1,15})(-\d{1,4})?", key, re.ASCII)
    if not found:
        return None
    return Message.get_or_none(Message.id == int(found[1]), Message.channel == "sms")


def _date_back(now: dt.datetime) -> None:
    """All keep as long to go as they had: it may be this moment that is wrong."""
    waits = Message.state == "pending"
    ahead = Message.created_at - now
    Message.update(
        created_at=now, wanted_at=Message.wanted_at - ahead, due_at=Message.due_at - ahead
    ).where(waits, Message.created_at > now, Message.tried_at.is_null()).execute()
    Message.update(
        tried_at=now,
        wanted_at=fn.MIN(Message.wanted_at, Message.wanted_at.db_value(now)),
        due_at=Message.due_at - (Message.tried_at - now),
    ).where(waits, Message.tried_at > now).execute()


def _end_by_report(message: Message, outcome: str) -> bool:
    if outcome == "delivered":
        delivered(message)
    else:
        refused(message, "undelivered")
    return True


def _move(
    message: Message, before: Collection[str], after: str, *, mine: bool = False, **columns: object
) -> None:
    """`mine`: only while the claim under which the message was read is still the newest one."""
    same = (Message.attempts == message.attempts,) if mine else ()
    with writing():
        Message.update(state=after, claimed_until=None, **columns).where(
            Message.id == message.id, Message.state.in_(list(before)), *same
        ).execute()
        live.publish("outbox")


def _end(message: Message, state: str, **columns: object) -> None:
    with writing():
        Message.update(state=state, ended_at=clock.now(), claimed_until=None, **columns).where(
            Message.id == message.id, Message.state.not_in(["delivered", "refused"])
        ).execute()
        live.publish("outbox")
