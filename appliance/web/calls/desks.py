"""The current state of each operator: since when they have it, and how long it may last.

A desk here is an operator with this state; in the workplace, it is a form with its call.
"""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.core import clock
from appliance.people import accounts, pauses, presence
from appliance.reports.kpi import ASA_TARGET_SECONDS
from appliance.telephony import calls, devices, routing
from appliance.telephony.calls import LiveCall
from appliance.web.shared.ongoing_calls import ongoing_calls
from appliance.web.shell.context import site, start_of_today

if TYPE_CHECKING:
    from appliance.models import Presence, User

# In the order of display: states in which operators may need a supervisor come first.
STATES = ("ringing", "call", "wrap_up", "ready", "back_office", "pause", "off")
# After these times a supervisor may want to check.
LONG_TALK_SECONDS, LONG_PAUSE_SECONDS = (
    600.0,
    900.0,
)
# A user without a request for this long has no open page: each page sends one every minute, even in
# a hidden tab.
PAGE_TIMEOUT = dt.timedelta(minutes=3)


@dataclass(frozen=True)
class Desk:
    """The state of one operator (one of STATES), and since when they have it, if known.

    `limit` is how many seconds it may last, if it is limited; `reason` is why they are on a pause
    (a code of the list of reasons or of presence.SYSTEM_REASONS, or ""); `live` is the call that
    rings or in which they talk. `phone_up`: their phone is connected to Asterisk; `is_gone`: they
    are at work, but neither their phone nor any of their pages is connected.
    """

    user: "User"
    state: str
    since: dt.datetime | None
    limit: float | None
    reason: str
    live: LiveCall | None
    phone_up: bool
    is_gone: bool

    @property
    def languages(self) -> list[str]:
        """The languages of the operator, as codes of accounts.CALL_LANGUAGES."""
        return [code for code in accounts.CALL_LANGUAGES if code in self.user.speaks.split()]

    def is_limit_reached(self, now: dt.datetime) -> bool:
        """Return True if the state has lasted at least as long as its limit."""
        return bool(self.since and self.limit and (now - self.since).total_seconds() >= self.limit)


def operator_desks() -> list[Desk]:
    """Return the current state of every active operator (their desk), sorted by state and name.

    The states are in the order of STATES.
    """
    live_calls, now = (
        {login: live_call for live_call in ongoing_calls() for login in live_call.parties},
        clock.now(),
    )
    phones = devices.phones_by_extension()
    wrap_up = routing.current_plan(site()).queueing.wrap_up
    talk_ends = calls.last_talk_ends(now - dt.timedelta(seconds=wrap_up)) if wrap_up else {}
    limits = {"ringing": ASA_TARGET_SECONDS, "call": LONG_TALK_SECONDS, "wrap_up": wrap_up}
    pause_limits = pauses.pause_limits()
    # The state WRAP_UP is set if an operator asks for more time after a call.
    extra_wrap_up, result = float(site().calls.more_time), []
    for user, current in presence.current_states():
        call, phone = live_calls.get(user.login), phones.get(user.extension)
        busy = bool(call or (phone and phone.channels))
        state, since = _operator_state(call, busy, current, talk_ends.get(user.login))
        phone_up = bool(phone and phone.up)
        pause = current if state == "pause" else None
        result.append(
            Desk(
                user=user,
                state=state,
                since=since,
                limit=_pause_limit(pause, pause_limits, now)
                if pause
                else extra_wrap_up
                if current and current.state == presence.WRAP_UP
                else limits.get(state),
                reason=pause.reason if pause else "",
                live=call,
                phone_up=phone_up,
                is_gone=not (phone_up or busy or state == "off" or _has_open_page(user, now)),
            )
        )
    return sorted(result, key=lambda desk: (STATES.index(desk.state), desk.user.name))


def _pause_limit(pause: "Presence", limits: dict[str, int], now: dt.datetime) -> float | None:
    """Return how many seconds a pause may last in all: until the day's limit is used up.

    `limits` are the daily limits in minutes, by reason; earlier pauses of the day for the same
    reason count. A pause without a reason, or one that the system or a supervisor set, may last
    LONG_PAUSE_SECONDS; for other reasons without a limit, returns None.
    """
    if limit := limits.get(pause.reason):
        used_seconds = pauses.pause_seconds(pause.user, start_of_today(), now).get(
            pause.reason, 0.0
        )
        return max(1.0, (now - pause.since).total_seconds() + 60 * limit - used_seconds)
    return LONG_PAUSE_SECONDS if pause.reason in ("", *presence.SYSTEM_REASONS) else None


def _has_open_page(user: "User", now: dt.datetime) -> bool:
    """Return True if a page of the user is open, as it sent a request within PAGE_TIMEOUT."""
    return bool(user.seen_at and now - user.seen_at < PAGE_TIMEOUT)


def _operator_state(
    call: LiveCall | None, busy: bool, current: "Presence | None", talk_ended_at: dt.datetime | None
) -> tuple[str, dt.datetime | None]:
    """Return an operator's state (one of STATES), and since when they have it, if known.

    `busy`: their phone is in use; `current`: the state that was set; `talk_ended_at`: when their
    last talk ended, if its wrap-up may still last.
    """
    if call:
        return "ringing" if call.stage == "ringing" else "call", call.since
    if busy:
        return "call", None
    if not current:
        return "off", None
    if talk_ended_at and current.state == "ready" and current.since <= talk_ended_at:
        return "wrap_up", talk_ended_at
    return current.state, current.since
