"""The current state of each operator: since when, and how long it may last."""

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

# in display order: operators who may need a supervisor come first
STATES = ("ringing", "call", "wrap_up", "ready", "back_office", "pause", "off")
# seconds after which a supervisor may want to check
LONG_TALK_SECONDS, LONG_PAUSE_SECONDS = (
    600.0,
    900.0,
)
# an open page sends a request once a minute, in a hidden tab too
PAGE_TIMEOUT = dt.timedelta(minutes=3)


@dataclass(frozen=True)
class Desk:
    """The state of one operator: a key of STATES, since when, its limit.

    `limit` is in seconds, if there is one; `reason` is that of a pause (a code of its list, of
    presence.SYSTEM_REASONS or ""); `live` is the call that rings or talks. `is_gone`: at work, but
    neither their phone nor their page is connected.
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

    def is_over(self, now: dt.datetime) -> bool:
        """Return True if the state has lasted its limit or longer."""
        return bool(self.since and self.limit and (now - self.since).total_seconds() >= self.limit)


def operator_desks() -> list[Desk]:
    """Return the desk of every operator, sorted by state and name."""
    live_calls, now = (
        {login: live_call for live_call in ongoing_calls() for login in live_call.parties},
        clock.now(),
    )
    phones = devices.phones_by_extension()
    wrap_up = routing.current_plan(site()).queueing.wrap_up
    talk_ends = calls.last_talk_ends(now - dt.timedelta(seconds=wrap_up)) if wrap_up else {}
    limits = {"ringing": ASA_TARGET_SECONDS, "call": LONG_TALK_SECONDS, "wrap_up": wrap_up}
    pause_limits = pauses.pause_limits()
    extra_wrap_up, result = float(site().calls.more_time), []
    for user, current in presence.current_states():
        call, phone = live_calls.get(user.login), phones.get(user.extension)
        busy = bool(call or (phone and phone.channels))
        state, since = _desk_state(call, busy, current, talk_ends.get(user.login))
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
    """Return the seconds this pause may last: the rest of the daily limit of its reason."""
    if limit := limits.get(pause.reason):
        used_seconds = pauses.pause_seconds(pause.user, start_of_today(), now).get(
            pause.reason, 0.0
        )
        return max(1.0, (now - pause.since).total_seconds() + 60 * limit - used_seconds)
    return LONG_PAUSE_SECONDS if pause.reason in ("", *presence.SYSTEM_REASONS) else None


def _has_open_page(user: "User", now: dt.datetime) -> bool:
    return bool(user.seen_at and now - user.seen_at < PAGE_TIMEOUT)


def _desk_state(
    call: LiveCall | None, busy: bool, current: "Presence | None", talk_ended_at: dt.datetime | None
) -> tuple[str, dt.datetime | None]:
    """Return a key of STATES, and since when.

    `talk_ended_at` is when their last talk ended, if its wrap-up still lasts.
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
