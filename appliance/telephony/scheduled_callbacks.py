"""Numbers that operators have promised to call back at a moment, until somebody has."""

import datetime as dt

from peewee import ModelSelect

from appliance.core import audit, clock, live, phone_numbers
from appliance.core.db import writing
from appliance.models import ScheduledCallback, User
from appliance.people import accounts, presence, rights

FARTHEST = dt.timedelta(days=180)
LONGEST = 500  # letters of a note


class CallbackError(ValueError):
    """It cannot be promised or handed over; `code` says why.

    "number": none that can be called; "past", "far": the moment; "long": the note; "operator":
    nobody to hand it to.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def visible(user: User) -> ModelSelect:
    """The open ones that a user may see: his own and those of who is not at work; leads see all."""
    waiting = ScheduledCallback.select(ScheduledCallback, User).join(User)
    waiting = waiting.where(ScheduledCallback.done_at.is_null())
    scope = rights.scope_of(user, "callback.work")
    if scope == rights.ALL:
        return waiting
    if scope != rights.OWN:
        return waiting.where(ScheduledCallback.id.is_null())
    at_work = [login for login, state in presence.states().items() if state != "off"]
    return waiting.where((ScheduledCallback.operator == user) | User.login.not_in(at_work))


def find(user: User, number: int) -> ScheduledCallback | None:
    """The open one with this id, if the user may see it."""
    return visible(user).where(ScheduledCallback.id == number).first()


def listed(user: User, limit: int = 200) -> list[ScheduledCallback]:
    """Those that a user may see, the earliest first."""
    return list(visible(user).order_by(ScheduledCallback.due_at).limit(limit))


def own(operator: User, limit: int = 50) -> list[ScheduledCallback]:
    """An operator's own open ones, the earliest first."""
    own_ones = visible(operator).where(ScheduledCallback.operator == operator)
    return list(own_ones.order_by(ScheduledCallback.due_at).limit(limit))


def schedule(
    operator: User,
    number: str | None,
    due_at: dt.datetime,
    note: str = "",
    call_id: str | None = None,
) -> ScheduledCallback:
    """Promise to call a number, as typed, at a moment. Raises CallbackError."""
    known, now, note = phone_numbers.canonical(number or ""), clock.now(), " ".join(note.split())
    if not known:
        raise CallbackError("number")
    if due_at <= now:
        raise CallbackError("past")
    if due_at - now > FARTHEST:
        raise CallbackError("far")
    if len(note) > LONGEST:
        raise CallbackError("long")
    with writing():
        made = ScheduledCallback.create(
            number=known,
            due_at=due_at,
            note=note,
            operator=operator,
            call_id=call_id,
            made_by=operator.login,
            made_at=now,
        )
        audit.record(operator.login, "callback.schedule", str(made.id), number=known)
        _refresh_pages_of(operator.login)
    return made


def finish(task: ScheduledCallback, by: str) -> bool:
    """Note that it is done; False when somebody did so before."""
    with writing():
        done = ScheduledCallback.update(done_at=clock.now(), done_by=by).where(
            ScheduledCallback.id == task.id, ScheduledCallback.done_at.is_null()
        )
        if not done.execute():
            return False
        audit.record(by, "callback.done", str(task.id), number=task.number)
        _refresh_pages_of(task.operator.login)
    return True


def hand_over(task: ScheduledCallback, login: str, by: str) -> None:
    """Make it another operator's. Raises CallbackError."""
    to = next((user for user in accounts.operators() if user.login == login), None)
    if not to:
        raise CallbackError("operator")
    with writing():
        ScheduledCallback.update(operator=to).where(ScheduledCallback.id == task.id).execute()
        audit.record(by, "callback.hand_over", str(task.id), to=login)
        _refresh_pages_of(task.operator.login, login)


def _refresh_pages_of(*logins: str) -> None:
    live.publish("followups", *(f"operator:{login}" for login in dict.fromkeys(logins)))
