"""The states that operators chose: who is ready, on pause or off, why, and since when."""

import datetime as dt
from typing import NamedTuple

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Presence, User
from appliance.people.accounts import StaffError, operators

# "back_office": at work, off the queue, and on no pause
STATES = ("ready", "pause", "back_office", "off")
NO_ANSWER = "no_answer"  # reason of a pause: the phone rang and nobody took it up
FORCED = "forced"  # a supervisor set the state
OF_OTHERS = (NO_ANSWER, FORCED)  # reasons that no operator gives
WRAP_UP = "wrap_up"  # a state that ends by itself: more time after a talk than the queues give


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
    return user.presences.order_by(Presence.since.desc(), Presence.id.desc()).first()


def states() -> dict[str, str]:
    """Login → state in force, of every active operator; "off" before the first choice."""
    return {login: p.state if p else "off" for login, p in presences().items()}


def intervals(begin: dt.datetime, end: dt.datetime) -> dict[str, list[StateInterval]]:
    """Login → his states within [begin, end), in order; of everybody who chose one."""
    every = User.select(User.id, User.login).where(User.role == "operator")
    found = {user.login: intervals_of(user, begin, end) for user in every}
    return {login: own for login, own in found.items() if own}


def intervals_of(user: User, begin: dt.datetime, end: dt.datetime) -> list[StateInterval]:
    """One operator's states within [begin, end), in order; none before his first choice."""
    chosen = Presence.select(Presence.state, Presence.reason, Presence.since).where(
        Presence.user == user
    )
    newest_first = (Presence.since.desc(), Presence.id.desc())
    before = chosen.where(Presence.since <= begin).order_by(*newest_first).limit(1)
    within = chosen.where(Presence.since > begin, Presence.since < end)
    rows = [*before.tuples(), *within.order_by(Presence.since, Presence.id).tuples()]
    ends = [*(since for *_, since in rows), end][1:]
    return [
        StateInterval(state, reason, max(since, begin), until)
        for (state, reason, since), until in zip(rows, ends, strict=True)
        if max(since, begin) < until
    ]


def presences() -> dict[str, Presence | None]:
    """Login → what is in force, of every active operator; None before the first choice."""
    return {user.login: state_of(user) for user in operators()}


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
    for user in operators():
        if not _is_due(user, most):
            continue
        with writing():
            if _is_due(user, most):  # he may have chosen another state meanwhile
                choose_state(user, "ready", reason=WRAP_UP, by="pbx")
                ended.append(user.login)
    return ended


def _is_due(user: User, most: dt.timedelta) -> bool:
    state = state_of(user)
    return bool(state and state.state == WRAP_UP and clock.now() - state.since >= most)
