"""What each operator does at this moment: his state, since when, and how long it may last."""

import datetime as dt
from dataclasses import dataclass
from typing import TYPE_CHECKING

from appliance.core import clock
from appliance.people import accounts, pauses, presence
from appliance.reports.kpi import ASA_TARGET
from appliance.telephony import calls, devices, routing
from appliance.telephony.calls import LiveCall
from appliance.web.calls import ongoing
from appliance.web.shell.context import midnight, site

if TYPE_CHECKING:
    from appliance.models import Presence, User

# in the order in which they are looked at: who is needed first
STATES = ("ringing", "call", "wrap_up", "ready", "back_office", "pause", "off")
LONG_TALK, LONG_PAUSE = 600.0, 900.0  # seconds after which a supervisor may want to look
GONE = dt.timedelta(minutes=3)  # a page that is open asks once a minute, in a hidden tab too


@dataclass(frozen=True)
class Desk:
    """One operator: a key of STATES since a moment; `limit`: seconds that it may last, None: any.

    `reason` is a pause's (a code of its list, of presence.OF_OTHERS or ""); `live` the call that
    rings or talks. `is_gone`: at work, but neither his phone nor a page of his is there any more.
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
        """Codes of accounts.CALL_LANGUAGES that he speaks."""
        return [code for code in accounts.CALL_LANGUAGES if code in self.user.speaks.split()]

    def is_over(self, now: dt.datetime) -> bool:
        """Whether it has lasted longer than its limit."""
        return bool(self.since and self.limit and (now - self.since).total_seconds() >= self.limit)


def desks() -> list[Desk]:
    """Every operator, by state and name."""
    live, now = {who: one for one in ongoing.going_on() for who in one.who}, clock.now()
    phones = devices.phones()
    wrap_up = routing.current(site()).queueing.wrap_up
    ended = calls.talks_ended(now - dt.timedelta(seconds=wrap_up)) if wrap_up else {}
    limits = {"ringing": ASA_TARGET, "call": LONG_TALK, "wrap_up": wrap_up}
    of_day = pauses.limits()
    more_time, found = float(site().calls.more_time), []
    for user, chosen in presence.in_force():
        call, phone = live.get(user.login), phones.get(user.extension)
        busy = bool(call or (phone and phone.channels))
        state, since = _state(call, busy, chosen, ended.get(user.login))
        phone_up = bool(phone and phone.up)
        paused = chosen if state == "pause" else None
        found.append(
            Desk(
                user=user,
                state=state,
                since=since,
                limit=_of_pause(paused, of_day, now)
                if paused
                else more_time
                if chosen and chosen.state == presence.WRAP_UP
                else limits.get(state),
                reason=paused.reason if paused else "",
                live=call,
                phone_up=phone_up,
                is_gone=not (phone_up or busy or state == "off" or _page_is_there(user, now)),
            )
        )
    return sorted(found, key=lambda desk: (STATES.index(desk.state), desk.user.name))


def _of_pause(chosen: "Presence", limits: dict[str, int], now: dt.datetime) -> float | None:
    """Seconds that this pause may last, by what the day's limit of its reason had left."""
    if limit := limits.get(chosen.reason):
        taken = pauses.taken(chosen.user, midnight(), now).get(chosen.reason, 0.0)
        return max(1.0, (now - chosen.since).total_seconds() + 60 * limit - taken)
    return LONG_PAUSE if chosen.reason in ("", *presence.OF_OTHERS) else None


def _page_is_there(user: "User", now: dt.datetime) -> bool:
    return bool(user.seen_at and now - user.seen_at < GONE)


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
