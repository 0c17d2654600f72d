"""What each operator does at this moment: his state, since when, and how long it may last."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.core import clock
from appliance.people import accounts, presence
from appliance.reports.kpi import ASA_TARGET
from appliance.telephony import calls, devices, routing
from appliance.telephony.calls import LiveCall
from appliance.web.shell.context import site

if TYPE_CHECKING:
    from appliance.models import Presence, User

# in the order in which they are looked at: who is needed first
STATES = ("ringing", "call", "wrap_up", "ready", "pause", "off")
LONG_TALK, LONG_PAUSE = 600.0, 900.0  # seconds after which a supervisor may want to look


@dataclass(frozen=True)
class Desk:
    """One operator: a key of STATES since a moment; `limit`: seconds that it may last, None: any.

    `reason` is a pause's (presence.NO_ANSWER, presence.FORCED or ""); `live` the call that rings or
    talks.
    """

    user: "User"
    state: str
    since: dt.datetime | None
    limit: float | None
    reason: str
    live: LiveCall | None
    phone_up: bool

    @property
    def languages(self) -> list[str]:
        """Codes of accounts.CALL_LANGUAGES that he speaks."""
        return [code for code in accounts.CALL_LANGUAGES if code in self.user.speaks.split()]

    def is_over(self, now: dt.datetime) -> bool:
        """Whether it has lasted longer than its limit."""
        return bool(self.since and self.limit and (now - self.since).total_seconds() >= self.limit)


def desks() -> list[Desk]:
    """Every operator, by state and name."""
    live = {who: one for one in calls.going_on() for who in one.who}
    phones, presences = devices.phones(), presence.presences()
    wrap_up = routing.current(site()).queueing.wrap_up
    ended = calls.talks_ended(clock.now() - dt.timedelta(seconds=wrap_up)) if wrap_up else {}
    limits = {"ringing": ASA_TARGET, "call": LONG_TALK, "wrap_up": wrap_up, "pause": LONG_PAUSE}
    found = []
    for user in accounts.operators():
        call, phone = live.get(user.login), phones.get(user.extension)
        busy = bool(call or (phone and phone.channels))
        chosen = presences[user.login]
        state, since = _state(call, busy, chosen, ended.get(user.login))
        found.append(
            Desk(
                user=user,
                state=state,
                since=since,
                limit=limits.get(state),
                reason=chosen.reason if chosen and state == "pause" else "",
                live=call,
                phone_up=bool(phone and phone.up),
            )
        )
    return sorted(found, key=lambda desk: (STATES.index(desk.state), desk.user.name))


def _state(
    call: LiveCall | None, busy: bool, chosen: "Presence | None", ended: dt.datetime | None
) -> tuple[str, dt.datetime | None]:
    """A key of STATES, and since when. `ended`: his last talk did, and its wrap-up lasts."""
    if call:
        return "ringing" if call.stage == "ringing" else "call", call.since
    if busy:
        return "call", None
    if not chosen:
        return "off", None
    if ended and chosen.state == "ready" and chosen.since <= ended:
        return "wrap_up", ended
    return chosen.state, chosen.since
