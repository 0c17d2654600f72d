"""Claiming messages: by a conditional UPDATE, one sender at a time, in the order of a recipient."""

import datetime as dt
from collections.abc import Collection
from itertools import takewhile

from peewee import fn

from appliance.core import clock, process_id
from appliance.core.db import writing
from appliance.core.outbox.tables import Message, SendAttempt

# A dead sender's claims are given back at once; a living one that hangs has so long.
LEASE = dt.timedelta(minutes=10)


def claim(channel: str, besides: Collection[str] = ()) -> Message | None:
    """Take the message of a channel that is due longest, or None; none to those in `besides`.

    Of one recipient only the oldest open message is ever taken: they arrive in order. One that is
    not wanted yet, or that no account may take, holds up nothing.
    """
    now = clock.now()
    earlier = Message.alias()
    waits = earlier.select(earlier.id).where(
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
            Message.recipient.not_in(list(besides)),
            ~fn.EXISTS(waits),
        )
        .order_by(Message.due_at, Message.id)
    )
    while message := due.clone().first():  # a query answers once
        with writing():
            at = clock.now()
            if _claim(at, Message.id == message.id):
                to = message.recipient
                SendAttempt.insert(channel=channel, recipient=to, at=at).execute()
                return Message.get_by_id(message.id)
    return None


def claim_alike(message: Message, least: int, most: int) -> list[Message]:
    """Take what else is due to a claimed message's recipient for the same purpose, to go with it.

    The oldest first, `most` of them; none when there are fewer than `least`.
    """
    now = clock.now()
    alike = (
        Message.select()
        .where(
            Message.channel == message.channel,
            Message.recipient == message.recipient,
            Message.purpose == message.purpose,
            Message.state == "pending",
            Message.expires_at > now,
        )
        .order_by(Message.id)
        .limit(most)
    )
    with writing():
        # Up to the first that has to wait: nothing overtakes it.
        taken = [found.id for found in takewhile(lambda one: one.due_at <= now, alike)]
        if len(taken) < least:
            return []
        _claim(message.tried_at, Message.id.in_(taken))
        return list(Message.select().where(Message.id.in_(taken)).order_by(Message.id))


def claim_waiting(channel: str, most: int) -> list[Message]:
    """Take what waits in a channel, due or not, the oldest first; nothing for a recipient to whom
    something is on its way."""
    on_its_way = Message.alias()
    held = on_its_way.select(on_its_way.recipient).where(
        on_its_way.channel == channel, on_its_way.state == "claimed"
    )
    with writing():
        waiting = Message.select().where(
            Message.channel == channel, Message.state == "pending", Message.recipient.not_in(held)
        )
        taken = [found.id for found in waiting.order_by(Message.id).limit(most)]
        _claim(clock.now(), Message.id.in_(taken))
        return list(Message.select().where(Message.id.in_(taken)).order_by(Message.id))


def claim_caused(channel: str, cause: str) -> list[Message]:
    """Take what is due in a channel for one cause, by whom the usual sender cannot send for."""
    now = clock.now()
    with writing():
        due = Message.select().where(
            Message.channel == channel,
            Message.cause == cause,
            Message.state == "pending",
            Message.due_at <= now,
        )
        taken = [found.id for found in due.order_by(Message.id)]
        _claim(now, Message.id.in_(taken))
        return list(Message.select().where(Message.id.in_(taken)).order_by(Message.id))


def tried(channel: str, within: float) -> dict[str, list[dt.datetime]]:
    """Recipient → when something was sent there in the last so many seconds, the oldest first.

    At most as far back as attempts are kept. What went together counts once. It is read from rows,
    so that a limit holds for a process that starts in the middle, too, and for two at once.
    """
    now = clock.now()
    since = now - dt.timedelta(seconds=within)
    here = (SendAttempt.channel == channel, SendAttempt.at > since, SendAttempt.at <= now)
    moments: dict[str, list[dt.datetime]] = {}
    for attempt in SendAttempt.select().where(*here).order_by(SendAttempt.at):
        moments.setdefault(attempt.recipient, []).append(attempt.at)
    return moments


def redirect(channel: str, before: str, after: str) -> int:
    """Send what is still open to a recipient that has another address since; returns how much."""
    open_ = (Message.channel == channel, Message.state.in_(["pending", "claimed"]))
    with writing():
        return Message.update(recipient=after).where(Message.recipient == before, *open_).execute()


def _claim(now: dt.datetime, *which: object) -> int:
    columns = {
        "claimed_until": now + LEASE,
        "claimed_by": process_id.this_process(),
        "tried_at": now,
    }
    return (
        Message.update(state="claimed", attempts=Message.attempts + 1, **columns)
        .where(Message.state == "pending", *which)
        .execute()
    )
