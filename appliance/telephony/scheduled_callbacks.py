"""Callbacks: calls that operators have promised to make at a certain time."""

import datetime as dt

from peewee import ModelSelect

from appliance.core import audit, clock, live, phone_numbers
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import ScheduledCallback, User
from appliance.people import accounts, presence, rights

MAX_DELAY = dt.timedelta(days=180)
MAX_NOTE_CHARACTERS = 500


def visible_callbacks(user: User) -> ModelSelect:
    """The open callbacks that a user may see.

    Operators see their own and those of operators who are not at work; supervisors see all.
    """
    open_callbacks = ScheduledCallback.select(ScheduledCallback, User).join(User)
    open_callbacks = open_callbacks.where(ScheduledCallback.done_at.is_null())
    scope = rights.scope_of(user, "callback.work")
    if scope == rights.ALL_RECORDS:
        return open_callbacks
    if scope != rights.OWN_RECORDS:
        return open_callbacks.where(ScheduledCallback.id.is_null())
    logins_at_work = [
        login for login, state in presence.states_by_login().items() if state != "off"
    ]
    return open_callbacks.where(
        (ScheduledCallback.operator == user) | User.login.not_in(logins_at_work)
    )


def find_callback(user: User, number: int) -> ScheduledCallback | None:
    """The open callback with this id, if the user may see it."""
    query = visible_callbacks(user).where(ScheduledCallback.id == number)
    callback: ScheduledCallback | None = query.first()
    return callback


def list_callbacks(user: User, limit: int = 200) -> list[ScheduledCallback]:
    """The open callbacks that a user may see, earliest first."""
    return list(visible_callbacks(user).order_by(ScheduledCallback.due_at).limit(limit))


def operator_callbacks(operator: User, limit: int = 50) -> list[ScheduledCallback]:
    """An operator's own open callbacks, earliest first."""
    callbacks = visible_callbacks(operator).where(ScheduledCallback.operator == operator)
    return list(callbacks.order_by(ScheduledCallback.due_at).limit(limit))


def schedule_callback(
    operator: User,
    number: str | None,
    due_at: dt.datetime,
    note: str = "",
    call_id: str | None = None,
) -> ScheduledCallback:
    """Schedule a call to `number`, as typed, at `due_at`.

    Raises Refused with the code "number" if this is not a valid number, "past" or "far" if the time
    is not in the future or more than MAX_DELAY away, or "long" if the note is too long.
    """
    canonical_number, now, note = (
        phone_numbers.canonical_number(number or ""),
        clock.now(),
        " ".join(note.split()),
    )
    if not canonical_number:
        raise Refused("number")
    if due_at <= now:
        raise Refused("past")
    if due_at - now > MAX_DELAY:
        raise Refused("far")
    if len(note) > MAX_NOTE_CHARACTERS:
        raise Refused("long")
    with write_transaction():
        callback: ScheduledCallback = ScheduledCallback.create(
            number=canonical_number,
            due_at=due_at,
            note=note,
            operator=operator,
            call_id=call_id,
            made_by=operator.login,
            made_at=now,
        )
        audit.record_entry(
            operator.login, "callback.schedule", str(callback.id), number=canonical_number
        )
        _refresh_operator_pages(operator.login)
    return callback


def finish_callback(callback: ScheduledCallback, by: str) -> bool:
    """Mark a callback as done; returns False if it already was."""
    with write_transaction():
        update = ScheduledCallback.update(done_at=clock.now(), done_by=by).where(
            ScheduledCallback.id == callback.id, ScheduledCallback.done_at.is_null()
        )
        if not update.execute():
            return False
        audit.record_entry(by, "callback.done", str(callback.id), number=callback.number)
        _refresh_operator_pages(callback.operator.login)
    return True


def hand_over(callback: ScheduledCallback, login: str, by: str) -> None:
    """Assign a callback to another operator.

    Raises Refused "operator" if `login` is not that of an active operator.
    """
    recipient = next((user for user in accounts.active_operators() if user.login == login), None)
    if not recipient:
        raise Refused("operator")
    with write_transaction():
        ScheduledCallback.update(operator=recipient).where(
            ScheduledCallback.id == callback.id
        ).execute()
        audit.record_entry(by, "callback.hand_over", str(callback.id), to=login)
        _refresh_operator_pages(callback.operator.login, login)


def _refresh_operator_pages(*logins: str) -> None:
    live.publish_topics("followups", *(f"operator:{login}" for login in dict.fromkeys(logins)))
