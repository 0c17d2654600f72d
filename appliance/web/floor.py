"""The floor: calls, operators and trunks at this moment, and what a supervisor may do there."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, abort, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance import audit, calls, clock, devices, health, plan, staff
from appliance.calls import LiveCall
from appliance.models import User
from appliance.pbx import actions
from appliance.reports.today import today
from appliance.web.access import may
from appliance.web.calls import LANGUAGES, STATES
from appliance.web.context import me, site

screen = Blueprint("floor", __name__, url_prefix="/floor")

# a stage of a call: its name, the badge's kind, the icon
STAGES: dict[str, tuple[LazyString, str, str]] = {
    "menu": (_l("In the menu"), "", "phone-incoming"),
    "queue": (_l("Waits"), "warn", "hourglass"),
    "ringing": (_l("Rings"), "warn", "phone-incoming"),
    "talk": (_l("Talk"), "accent", "phone-call"),
    "rating": (_l("After the talk"), "", "star"),
}
REASONS: dict[str, LazyString] = {
    "quality": _l("Quality"),
    "help": _l("Help"),
    "training": _l("Training"),
    "complaint": _l("Complaint"),
}
TROUBLES: dict[str, LazyString] = {
    "reason": _l("Choose a reason first."),
    "no_talk": _l("This operator speaks with nobody at this moment."),
    "over": _l("The call is over already."),
    "no_phone": _l("You have no phone: the technician can give you one."),
    "phone_off": _l("Your phone is not connected: switch it on."),
    "phone_busy": _l("Your phone is in use: hang up first."),
    "not_listening": _l("Listen to the talk first, then take it over."),
    "exchange": _l("The exchange would not do it. Try again."),
}
UNREACHABLE = _l("The exchange does not answer.")
DONE: dict[str, LazyString] = {
    "listen": _l("Take up your phone: you hear the talk, nobody hears you."),
    "whisper": _l("Take up your phone: only the operator hears you."),
    "barge": _l("Take up your phone: both hear you."),
}


@dataclass(frozen=True)
class Desk:
    """One operator: a key of STATES since a moment, his call, whether his phone is connected."""

    user: User
    state: str
    since: dt.datetime | None
    reason: str
    live: LiveCall | None
    phone_up: bool


@screen.get("")
@may("supervisor", "manager")
def page() -> str:
    """Everything at once."""
    shown = _calls() | _figures() | _desks() | _trunks() | _phone()
    return render_template("floor/page.html", reasons=REASONS, **shown)


@screen.get("/calls")
@may("supervisor", "manager")
def live_calls() -> str:
    """Calls that go on, as a piece of the page."""
    return render_template("floor/calls.html", **_calls())


@screen.get("/figures")
@may("supervisor", "manager")
def figures() -> str:
    """Today's answer time and what threatens it, as a piece of the page."""
    return render_template("floor/figures.html", **_figures())


@screen.get("/operators")
@may("supervisor", "manager")
def operators() -> str:
    """Operators with their calls, as a piece of the page."""
    return render_template("floor/operators.html", **_desks())


@screen.get("/trunks")
@may("supervisor", "manager")
def trunks() -> str:
    """The lines to the carriers, as a piece of the page."""
    return render_template("floor/trunks.html", **_trunks())


@screen.get("/phone")
@may("supervisor", "manager")
def phone() -> str:
    """What the supervisor's own phone does, as a piece of the page."""
    return render_template("floor/phone.html", **_phone())


@screen.post("/operators/<login>/<any(listen, whisper, barge):mode>")
@may("supervisor", "manager")
def supervise(login: str, mode: str) -> str:
    """Hear an operator's talk, whisper to him, or speak with both: with a reason, written down."""
    operator, reason = _operator(login), request.form.get("reason", "")
    if reason not in REASONS:
        return _said(TROUBLES["reason"])

    def act() -> None:
        call = actions.supervise(site(), me(), operator, mode)
        audit.record(me().login, f"supervise.{mode}", login, call=call, reason=reason)

    return _done(act, DONE[mode])


@screen.post("/operators/<login>/take-over")
@may("supervisor", "manager")
def take_over(login: str) -> str:
    """The caller goes on with the supervisor who listens."""
    operator = _operator(login)

    def act() -> None:
        call = actions.take_over(site(), me(), operator)
        audit.record(me().login, "supervise.take_over", login, call=call)

    return _done(act, _l("You speak with the caller."))


@screen.post("/operators/<login>/hang-up")
@may("supervisor", "manager")
def hang_up(login: str) -> str:
    """End an operator's talk; the caller is asked for his mark."""
    operator, call = _operator(login), calls.of_operator(login)
    if not call:
        return _said(TROUBLES["over"])

    def act() -> None:
        actions.hang_up(site(), call.id, operator.extension)
        audit.record(me().login, "supervise.hang_up", login, call=call.id)

    return _done(act, _l("Done."))


@screen.post("/operators/<login>/<any(ready, pause):state>")
@may("supervisor", "manager")
def set_state(login: str, state: str) -> str:
    """Put an operator on a pause, or make him ready."""
    operator = _operator(login)
    reason = staff.FORCED if state == "pause" else ""
    return _done(
        lambda: actions.choose_state(site(), operator, state, reason=reason, by=me().login),
        _l("Done."),
    )


@screen.post("/stop")
@may("supervisor", "manager")
def stop() -> str:
    """Leave the talk that one listens to."""
    return _done(lambda: actions.stop_supervising(site(), me()), _l("Done."))


def _done(act: Callable[[], None], words: LazyString) -> str:
    try:
        act()
    except actions.Refused as error:
        return _said(TROUBLES.get(error.code, TROUBLES["exchange"]))
    except actions.Unreachable:
        return _said(UNREACHABLE)
    return _said(words, good=True)


def _said(words: LazyString, good: bool = False) -> str:
    return render_template("floor/said.html", words=words, good=good)


def _operator(login: str) -> User:
    found = (user for user in staff.operators() if user.login == login)
    return next(found, None) or abort(404)


def _calls() -> dict[str, object]:
    live = calls.going_on()
    order = {stage: number for number, stage in enumerate(("ringing", "queue", "talk", "menu"))}
    live.sort(key=lambda one: (order.get(one.stage, len(order)), one.since))
    return {
        "live_calls": live,
        "stages": STAGES,
        "counts": {stage: sum(one.stage == stage for one in live) for stage in STAGES},
        "names": {user.login: user.name for user in staff.with_phone()},
        "call_languages": LANGUAGES,
        "now": clock.now(),
    }


def _figures() -> dict[str, object]:
    now = clock.now()
    midnight = now.astimezone(site().tz).replace(hour=0, minute=0, second=0, microsecond=0)
    waits = [one.waits_since for one in calls.going_on() if one.waits_since]
    level = site().calls.service_level
    return {
        "day": today(midnight, now, waits, level),
        "level": level,
        "oldest": min(waits, default=None),
        "observed": health.line_answers() is not False,
        "now": now,
    }


def _desks() -> dict[str, object]:
    live = {who: one for one in calls.going_on() for who in one.who}
    phones, presences = devices.phones(), staff.presences()
    desks = []
    for user in staff.operators():
        call, presence = live.get(user.login), presences[user.login]
        chosen = presence.state if presence else "off"
        phone = phones.get(user.extension)
        busy = bool(call or (phone and phone.channels))
        since = call.since if call else presence.since if presence and not busy else None
        desks.append(
            Desk(
                user=user,
                state="call" if busy else chosen,
                since=since,
                reason=presence.reason if presence and not busy else "",
                live=call,
                phone_up=bool(phone and phone.up),
            )
        )
    order = list(STATES)
    desks.sort(key=lambda desk: (order.index(desk.state), desk.user.name))
    return {
        "desks": desks,
        "states": STATES,
        "how_many": {state: sum(desk.state == state for desk in desks) for state in STATES},
        "now": clock.now(),
    }


def _trunks() -> dict[str, object]:
    plans = {trunk.name: trunk for trunk in plan.current(site()).trunks}
    return {"trunks": devices.trunks(), "plans": plans, "now": clock.now()}


def _phone() -> dict[str, object]:
    """Whom the supervisor listens to, or that he has no phone."""
    extension = me().extension
    own = devices.phones().get(extension) if extension else None
    line = None
    if own and own.channels:
        try:
            line = actions.line(site(), extension)
        except (actions.Refused, actions.Unreachable):
            line = None
    heard = next((u for u in staff.operators() if line and u.extension == line.other), None)
    return {"own_phone": own, "line": line, "heard_operator": heard}
