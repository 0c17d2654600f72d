"""The states that operators chose: ready, on pause or off, with reason and start."""

import datetime as dt
import functools
from collections.abc import Iterable
from typing import NamedTuple

from peewee import JOIN, Expression, ModelSelect

from appliance.core import audit, clock, live
from appliance.core.clock import datetime_from_microseconds, microseconds_since_epoch
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Presence, User
from appliance.people.accounts import active_operators

# "back_office": at work, neither in the queue nor on a pause
STATES = ("ready", "pause", "back_office", "off")
NO_ANSWER = "no_answer"  # reason of a pause: the phone rang and was not answered
FORCED = "forced"  # a supervisor set the state
SYSTEM_REASONS = (NO_ANSWER, FORCED)  # reasons that operators cannot choose
WRAP_UP = "wrap_up"  # extra time after a talk, beyond the queue's own; ends automatically


_CURRENT_STATE = PreparedQuery(
    lambda: (
        Presence.select()
        .where(Presence.user == query_parameter("user"))
        .order_by(Presence.since.desc(), Presence.id.desc())
        .limit(1)
    )
)


def _newest_presence() -> ModelSelect:
    """Return the subquery for the current state of the user in an outer query."""
    newest = Presence.alias()
    rows = newest.select(newest.id).where(newest.user == User.id)
    return rows.order_by(newest.since.desc(), newest.id.desc()).limit(1)


_CURRENT_STATES = PreparedQuery(
    lambda: Presence.select().where(Presence.id.in_(User.select(_newest_presence())))
)

_WRAPPING_UP = PreparedQuery(
    lambda: (
        User.select()
        .join(Presence, on=Presence.id == _newest_presence())
        .where(
            *(User.role == "operator", User.active, User.extension.is_null(False)),
            *(Presence.state == WRAP_UP, Presence.since <= query_parameter("until")),
        )
    )
)


def _states_at_begin(user_condition: Expression) -> ModelSelect:
    """Return the query for the states that some users had when an interval begins."""
    newest = Presence.alias()
    in_force = (
        newest.select(newest.id)
        .where(newest.user == User.id, newest.since <= query_parameter("begin"))
        .order_by(newest.since.desc(), newest.id.desc())
        .limit(1)
    )
    return (
        User.select(*_STATE_COLUMNS)
        .join(Presence, on=Presence.id == in_force)
        .where(user_condition)
    )


def _states_within(user_condition: Expression) -> ModelSelect:
    """Return the query for the states that some users chose within an interval."""
    return (
        User.select(*_STATE_COLUMNS)
        .join(Presence, JOIN.CROSS)
        .where(
            *(Presence.user == User.id, user_condition),
            *(Presence.since > query_parameter("begin"), Presence.since < query_parameter("end")),
        )
        .order_by(User.id, Presence.since, Presence.id)
    )


_STATE_COLUMNS = User.login, Presence.state, Presence.reason, Presence.since
_QUERIES_OF_ALL, _QUERIES_OF_ONE = (
    [PreparedQuery(functools.partial(word, whose)) for word in (_states_at_begin, _states_within)]
    for whose in (User.role == "operator", User.id == query_parameter("user"))
)


class StateInterval(NamedTuple):
    """An interval in which an operator had a state; `reason` is that of a pause, or ""."""

    state: str
    reason: str
    begin: dt.datetime
    end: dt.datetime

    @property
    def seconds(self) -> float:
        """The length of the interval."""
        return (self.end - self.begin).total_seconds()


def state_of(user: User) -> Presence | None:
    """Return the user's current state, if they ever had one."""
    row: Presence | None = _CURRENT_STATE.fetch_first(user=user.id)
    return row


def states_by_login() -> dict[str, str]:
    """Return the current state of every active operator, by login; "off" before the first one."""
    return {user.login: row.state if row else "off" for user, row in current_states()}


def intervals_of(user: User, begin: dt.datetime, end: dt.datetime) -> list[StateInterval]:
    """One operator's states within [begin, end), in order; empty before their first choice."""
    rows = _clipped_intervals(begin, end, _QUERIES_OF_ONE, user=user.id).get(user.login, [])
    return [
        StateInterval(
            state, reason, datetime_from_microseconds(begin_at), datetime_from_microseconds(end_at)
        )
        for state, reason, begin_at, end_at in rows
    ]


def intervals_by_login(
    begin: dt.datetime, end: dt.datetime
) -> dict[str, list[tuple[str, str, int, int]]]:
    """Return every operator's states within [begin, end) as (state, reason, begin, end), by login.

    They are in order. Times are microseconds since 1970, for reports that add them up.
    """
    return _clipped_intervals(begin, end, _QUERIES_OF_ALL)


def _clipped_intervals(
    begin: dt.datetime, end: dt.datetime, questions: Iterable[PreparedQuery], **parameters: int
) -> dict[str, list[tuple[str, str, int, int]]]:
    """Return the states that the queries find, clipped to [begin, end), by login.

    Each is (state, reason, begin, end) with times in microseconds since 1970.
    """
    rows_by_login: dict[str, list[tuple[str, str, int]]] = {}
    between = {"begin": microseconds_since_epoch(begin), "end": microseconds_since_epoch(end)}
    for question in questions:
        for login, state, reason, since in question.fetch_tuples(**between, **parameters):
            rows_by_login.setdefault(login, []).append((state, reason, since))
    first, last = microseconds_since_epoch(begin), microseconds_since_epoch(end)
    intervals: dict[str, list[tuple[str, str, int, int]]] = {}
    for login, rows in rows_by_login.items():
        ends = [*(since for _, _, since in rows), last][1:]
        clipped = [
            (state, reason, max(since, first), until)
            for (state, reason, since), until in zip(rows, ends, strict=True)
            if max(since, first) < until
        ]
        if clipped:
            intervals[login] = clipped
    return intervals


def current_states() -> list[tuple[User, Presence | None]]:
    """Return every active operator, by login, with their current state (None: never had one)."""
    state_by_user = {row.user_id: row for row in _CURRENT_STATES.fetch_objects()}
    return [(user, state_by_user.get(user.id)) for user in active_operators()]


def choose_state(user: User, state: str, *, reason: str = "", by: str = "") -> None:
    """Record a new state of an operator; `pbx.actions` applies it in Asterisk.

    `reason` is that of a pause: a code of the list of reasons, one of SYSTEM_REASONS or "". `by` is
    the login or process that set the state if it was not the operator. Raises Refused "state" for
    an unknown state.
    """
    if state not in (*STATES, WRAP_UP):
        raise Refused("state", f"no such state: {state}")
    with write_transaction():
        Presence.create(
            user=user, state=state, since=clock.now(), reason=reason, by=by or user.login
        )
        if by:
            audit.record_entry(by, "operator.state", user.login, state=state, reason=reason)
        live.publish_topics(f"operator:{user.login}", "operators")


def end_wrap_ups(max_length: dt.timedelta) -> list[str]:
    """Make the operators ready whose wrap-up has lasted for `max_length`; returns their logins."""
    logins = []
    for user in _WRAPPING_UP.fetch_objects(
        until=microseconds_since_epoch(clock.now() - max_length)
    ):
        with write_transaction():
            if _is_wrap_up_over(user, max_length):  # they may have chosen another state just now
                choose_state(user, "ready", reason=WRAP_UP, by="pbx")
                logins.append(user.login)
    return logins


def _is_wrap_up_over(user: User, max_length: dt.timedelta) -> bool:
    """Returns True if the operator is in a wrap-up that has lasted for `max_length`."""
    state = state_of(user)
    return bool(state and state.state == WRAP_UP and clock.now() - state.since >= max_length)
