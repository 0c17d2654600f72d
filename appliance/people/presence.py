"""The states that operators chose: who is ready, on pause or off, and since when."""

import datetime as dt
from typing import Any

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Presence, User
from appliance.people.accounts import StaffError, operators

STATES = ("ready", "pause", "off")
NO_ANSWER = "no_answer"  # reason of a pause: the phone rang and nobody took it up
FORCED = "forced"  # a supervisor set the state


def state_of(user: User) -> Presence | None:
    """The state in force, or None before the first choice."""
    return user.presences.order_by(Presence.since.desc(), Presence.id.desc()).first()


def states() -> dict[str, str]:
    """Login → state in force, of every active operator; "off" before the first choice."""
    return {login: p.state if p else "off" for login, p in presences().items()}


def intervals(
    begin: dt.datetime, end: dt.datetime
) -> dict[str, list[tuple[str, dt.datetime, dt.datetime]]]:
    """Login → (state, from, to) within [begin, end), in order; of everybody who chose one."""
    found: dict[str, list[tuple[str, dt.datetime, dt.datetime]]] = {}
    for user in User.select(User.id, User.login).where(User.role == "operator"):
        before = _chosen(user).where(Presence.since <= begin)
        within = _chosen(user).where(Presence.since > begin, Presence.since < end)
        latest = before.order_by(Presence.since.desc(), Presence.id.desc()).limit(1)
        states = [*latest, *within.order_by(Presence.since, Presence.id)]
        ends = [*(since for _, since in states), end][1:]
        for (state, since), until in zip(states, ends, strict=True):
            if max(since, begin) < until:
                found.setdefault(user.login, []).append((state, max(since, begin), until))
    return found


def _chosen(user: User) -> Any:
    return Presence.select(Presence.state, Presence.since).where(Presence.user == user).tuples()


def presences() -> dict[str, Presence | None]:
    """Login → what is in force, of every active operator; None before the first choice."""
    return {user.login: state_of(user) for user in operators()}


def choose_state(user: User, state: str, *, reason: str = "", by: str = "") -> None:
    """Write down the state of an operator; Asterisk is told by pbx.actions.

    `by`: the login or process that set it, when it was not the operator himself; `reason`:
    NO_ANSWER, FORCED or "".
    """
    if state not in STATES:
        raise StaffError("state", f"no such state: {state}")
    with writing():
        Presence.create(
            user=user, state=state, since=clock.now(), reason=reason, by=by or user.login
        )
        if by:
            audit.record(by, "operator.state", user.login, state=state, reason=reason)
        live.publish(f"operator:{user.login}", "operators")
