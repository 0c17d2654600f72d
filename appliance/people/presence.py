"""The states that operators chose: who is ready, on pause or off, why, and since when."""

import datetime as dt
import functools
from collections.abc import Iterable
from typing import NamedTuple

from peewee import JOIN, Expression, ModelSelect

from appliance.core import audit, clock, live
from appliance.core.clock import microseconds, moment
from appliance.core.db import writing
from appliance.core.statements import Question, value
from appliance.models import Presence, User
from appliance.people.accounts import StaffError, operators

# "back_office": at work, off the queue, and on no pause
STATES = ("ready", "pause", "back_office", "off")
NO_ANSWER = "no_answer"  # reason of a pause: the phone rang and nobody took it up
FORCED = "forced"  # a supervisor set the state
OF_OTHERS = (NO_ANSWER, FORCED)  # reasons that no operator gives
WRAP_UP = "wrap_up"  # a state that ends by itself: more time after a talk than the queues give


_IN_FORCE = Question(
    lambda: (
        Presence.select()
        .where(Presence.user == value("user"))
        .order_by(Presence.since.desc(), Presence.id.desc())
        .limit(1)
    )
)


def _newest() -> ModelSelect:
    """In a question about users: the state in force of each."""
    newest = Presence.alias()
    rows = newest.select(newest.id).where(newest.user == User.id)
    return rows.order_by(newest.since.desc(), newest.id.desc()).limit(1)


_IN_FORCE_OF_ALL = Question(
    lambda: Presence.select().where(Presence.id.in_(User.select(_newest())))
)

_WRAPPING_UP = Question(
    lambda: (
        User.select()
        .join(Presence, on=Presence.id == _newest())
        .where(
            *(User.role == "operator", User.active, User.extension.is_null(False)),
            *(Presence.state == WRAP_UP, Presence.since <= value("until")),
        )
    )
)


def _before(whose: Expression) -> ModelSelect:
    """What was in force of some users when a stretch of time began."""
    newest = Presence.alias()
    in_force = (
        newest.select(newest.id)
        .where(newest.user == User.id, newest.since <= value("begin"))
        .order_by(newest.since.desc(), newest.id.desc())
        .limit(1)
    )
    return User.select(*_COLUMNS).join(Presence, on=Presence.id == in_force).where(whose)


def _within(whose: Expression) -> ModelSelect:
    """What they chose until it ended."""
    return (
        User.select(*_COLUMNS)
        .join(Presence, JOIN.CROSS)
        .where(
            *(Presence.user == User.id, whose),
            *(Presence.since > value("begin"), Presence.since < value("end")),
        )
        .order_by(User.id, Presence.since, Presence.id)
    )


_COLUMNS = User.login, Presence.state, Presence.reason, Presence.since
_OF_ALL, _OF_ONE = (
    [Question(functools.partial(word, whose)) for word in (_before, _within)]
    for whose in (User.role == "operator", User.id == value("user"))
)


class StateInterval(NamedTuple):
    """A state that an operator was in; `reason` is a pause's, "" where none was told."""

    state: str
    reason: str
    begin: dt.datetime
    end: dt.datetime

    @property
    def seconds(self) -> float:
        """How long it was."""
        return (self.end - self.begin).total_seconds()


def state_of(user: User) -> Presence | None:
    """The state in force, or None before the first choice."""
    found: Presence | None = _IN_FORCE.first(user=user.id)
    return found


def states() -> dict[str, str]:
    """Login → state in force, of every active operator; "off" before the first choice."""
    return {user.login: chosen.state if chosen else "off" for user, chosen in in_force()}


def intervals_of(user: User, begin: dt.datetime, end: dt.datetime) -> list[StateInterval]:
    """One operator's states within [begin, end), in order; none before his first choice."""
    told = _stretches(begin, end, _OF_ONE, user=user.id).get(user.login, [])
    return [StateInterval(state, reason, moment(b), moment(e)) for state, reason, b, e in told]


def stretches(begin: dt.datetime, end: dt.datetime) -> dict[str, list[tuple[str, str, int, int]]]:
    """Login → (state, reason, begin, end) within [begin, end), in order, of every operator.

    Moments are microseconds since 1970, as figures add them up.
    """
    return _stretches(begin, end, _OF_ALL)


def _stretches(
    begin: dt.datetime, end: dt.datetime, asked: Iterable[Question], **whose: int
) -> dict[str, list[tuple[str, str, int, int]]]:
    chosen: dict[str, list[tuple[str, str, int]]] = {}
    between = {"begin": microseconds(begin), "end": microseconds(end)}
    for question in asked:
        for login, state, reason, since in question.ask(**between, **whose):
            chosen.setdefault(login, []).append((state, reason, since))
    first, last = microseconds(begin), microseconds(end)
    found: dict[str, list[tuple[str, str, int, int]]] = {}
    for login, rows in chosen.items():
        ends = [*(since for _, _, since in rows), last][1:]
        own = [
            (state, reason, max(since, first), until)
            for (state, reason, since), until in zip(rows, ends, strict=True)
            if max(since, first) < until
        ]
        if own:
            found[login] = own
    return found


def in_force() -> list[tuple[User, Presence | None]]:
    """Every active operator, by login, and what is in force of him; None before the first choice.

    Both at once: who is taken on between two questions is in neither or in both.
    """
    chosen = {one.user_id: one for one in _IN_FORCE_OF_ALL.rows()}
    return [(user, chosen.get(user.id)) for user in operators()]


def choose_state(user: User, state: str, *, reason: str = "", by: str = "") -> None:
    """Write down the state of an operator; Asterisk is told by pbx.actions.

    `by`: the login or process that set it, when it was not the operator himself; `reason` of a
    pause: a code of the list of reasons, one of OF_OTHERS or "".
    """
    if state not in (*STATES, WRAP_UP):
        raise StaffError("state", f"no such state: {state}")
    with writing():
        Presence.create(
            user=user, state=state, since=clock.now(), reason=reason, by=by or user.login
        )
        if by:
            audit.record(by, "operator.state", user.login, state=state, reason=reason)
        live.publish(f"operator:{user.login}", "operators")


def end_wrap_ups(most: dt.timedelta) -> list[str]:
    """Make those ready whose wrap-up has lasted that long; returns their logins."""
    ended = []
    for user in _WRAPPING_UP.rows(until=microseconds(clock.now() - most)):
        with writing():
            if _is_due(user, most):  # he may have chosen another state meanwhile
                choose_state(user, "ready", reason=WRAP_UP, by="pbx")
                ended.append(user.login)
    return ended


def _is_due(user: User, most: dt.timedelta) -> bool:
    state = state_of(user)
    return bool(state and state.state == WRAP_UP and clock.now() - state.since >= most)
