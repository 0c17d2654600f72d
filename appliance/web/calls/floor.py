"""The floor: calls, operators and trunks at this moment, and what a supervisor may do there."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request
from flask_babel import LazyString, lazy_pgettext
from flask_babel import lazy_gettext as _l

from appliance.box import health
from appliance.core import audit, clock
from appliance.pbx import actions
from appliance.people import accounts, presence
from appliance.reports.kpi import ASA_TARGET, SERVICE_TARGET
from appliance.reports.today import today
from appliance.telephony import calls, devices, routing
from appliance.web.calls import announcements, desks, ongoing
from appliance.web.calls import of_day as day
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, midnight, site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.workplace.states import reason_name

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("floor", __name__, url_prefix="/floor")

# a stage of a call: its name, the badge's kind, the icon
STAGES: dict[str, tuple[LazyString, str, str]] = {
    "menu": (_l("In the menu"), "", "phone-incoming"),
    "queue": (_l("Waits"), "warn", "hourglass"),
    "ringing": (_l("Rings"), "warn", "phone-incoming"),
    "talk": (_l("Talk"), "accent", "phone-call"),
    "rating": (_l("After the talk"), "", "star"),
}
# an operator's state: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "ringing": (_l("Rings"), "warn", "phone-incoming"),
    "wrap_up": (_l("Wrap-up"), "", "pencil"),
    **day.STATES,
}
LANGUAGES: dict[str, LazyString] = {
    "uz": lazy_pgettext("short", "Uzb"),
    "ru": lazy_pgettext("short", "Rus"),
}
WAITING = 5  # bars of those who wait; the rest is counted
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


@screen.get("")
@may("floor.lead")
def page() -> str:
    """Everything at once; `who` is the operator whose talk and actions are shown."""
    who = request.args.get("who", "")
    shown = _calls() | _waiting() | _figures() | _chosen(who) | _trunks() | _phone()
    told = announcements.writing_form()
    return render_template("floor/page.html", reasons=REASONS, **told, **shown)


@screen.get("/calls")
@may("floor.lead")
def live_calls() -> str:
    """Calls that go on, as a piece of the page."""
    return render_template("floor/calls.html", **_calls())


@screen.get("/waiting")
@may("floor.lead")
def waiting() -> str:
    """Those who wait, each as a bar that runs to the promise, as a piece of the page."""
    return render_template("floor/waiting.html", **_waiting())


@screen.get("/figures")
@may("floor.lead")
def figures() -> str:
    """Today's answer time and what threatens it, as a piece of the page."""
    return render_template("floor/figures.html", **_figures())


@screen.get("/operators")
@may("floor.lead")
def operators() -> str:
    """Operators as cards by state, as a piece of the page."""
    return render_template("floor/operators.html", **_desks(request.args.get("who", "")))


@screen.get("/operators/<login>")
@may("floor.lead")
def operator(login: str) -> str:
    """One operator's talk and what can be done with it, as a piece of the page."""
    _operator(login)
    return render_template("floor/chosen.html", **_chosen(login))


@screen.get("/trunks")
@may("floor.lead")
def trunks() -> str:
    """The lines to the carriers, as a piece of the page."""
    return render_template("floor/trunks.html", **_trunks())


@screen.get("/phone")
@may("floor.lead")
def phone() -> str:
    """What the supervisor's own phone does, as a piece of the page."""
    return render_template("floor/phone.html", **_phone())


@screen.post("/operators/<login>/<any(listen, whisper, barge):mode>")
@may("floor.lead")
def supervise(login: str, mode: str) -> str:
    """Hear an operator's talk, whisper to him, or speak with both: with a reason, written down."""
    operator, reason = _operator(login), request.form.get("reason", "")
    if reason not in REASONS:
        return _message(TROUBLES["reason"])

    def act() -> None:
        call = actions.supervise(site(), me(), operator, mode)
        audit.record(me().login, f"supervise.{mode}", login, call=call, reason=reason)

    return _done(act, DONE[mode])


@screen.post("/operators/<login>/take-over")
@may("floor.lead")
def take_over(login: str) -> str:
    """The caller goes on with the supervisor who listens."""
    operator = _operator(login)

    def act() -> None:
        call = actions.take_over(site(), me(), operator)
        audit.record(me().login, "supervise.take_over", login, call=call)

    return _done(act, _l("You speak with the caller."))


@screen.post("/operators/<login>/hang-up")
@may("floor.lead")
def hang_up(login: str) -> str:
    """End the talk that was asked about (`call`), no later one; the caller is asked for a mark."""
    operator, call = _operator(login), calls.of_operator(login)
    if not call or call.id != request.form.get("call"):
        return _message(TROUBLES["over"])

    def act() -> None:
        actions.hang_up(site(), call.id, operator.extension)
        audit.record(me().login, "supervise.hang_up", login, call=call.id)

    return _done(act, _l("The talk is over."))


@screen.post("/operators/<login>/<any(ready, pause):state>")
@may("floor.lead")
def set_state(login: str, state: str) -> str:
    """Put an operator on a pause, or make him ready."""
    operator = _operator(login)
    reason = presence.FORCED if state == "pause" else ""
    return _done(
        lambda: actions.choose_state(site(), operator, state, reason=reason, by=me().login),
        _l("Done."),
    )


@screen.post("/stop")
@may("floor.lead")
def stop() -> str:
    """Leave the talk that one listens to."""
    return _done(lambda: actions.stop_supervising(site(), me()), _l("Done."))


def _done(act: Callable[[], None], words: LazyString) -> str:
    try:
        act()
    except actions.Refused as error:
        return _message(TROUBLES.get(error.code, TROUBLES["exchange"]))
    except actions.Unreachable:
        return _message(UNREACHABLE)
    return _message(words, good=True)


def _message(words: LazyString, good: bool = False) -> str:
    return render_template("floor/said.html", words=words, good=good)


def _operator(login: str) -> "User":
    found = (user for user in accounts.operators() if user.login == login)
    return next(found, None) or abort(404)


def _calls() -> dict[str, object]:
    live = ongoing.going_on()
    disclosure.log_shown("call", [one.call.id for one in live])
    order = {stage: number for number, stage in enumerate(("ringing", "queue", "talk", "menu"))}
    shown = sorted(live, key=lambda one: (order.get(one.stage, len(order)), one.since))
    return {
        "live_calls": shown,
        "stages": STAGES,
        "counts": {stage: sum(one.stage == stage for one in live) for stage in STAGES},
        "names": accounts.names(locale()),
        "call_languages": CALL_LANGUAGES,
        "now": clock.now(),
    }


def _waiting() -> dict[str, object]:
    waits = [one for one in ongoing.going_on() if one.waits_since]
    waits.sort(key=lambda one: one.waits_since or one.since)
    return {
        "waits": waits[:WAITING],
        "more": len(waits[WAITING:]),
        "short": LANGUAGES,
        "promised": ASA_TARGET,
        "now": clock.now(),
    }


def _figures() -> dict[str, object]:
    now = clock.now()
    waits = [one.waits_since for one in ongoing.going_on() if one.waits_since]
    level = site().calls.service_level
    return {
        "day": today(midnight(), now, waits, level),
        "level": level,
        "demanded": SERVICE_TARGET,
        "oldest": min(waits, default=None),
        "observed": health.line_answers() is not False,
        "now": now,
    }


def _chosen(who: str) -> dict[str, object]:
    """The operators, one of them with his caller's number."""
    shown = _desks(who)
    if isinstance(one := shown["chosen"], desks.Desk) and one.live:
        disclosure.log_shown("call", [one.live.call.id])
    return shown


def _desks(who: str) -> dict[str, object]:
    found = desks.desks()
    chosen = next((desk for desk in found if desk.user.login == who), None)
    return {
        "desks": {state: [d for d in found if d.state == state] for state in desks.STATES},
        "chosen": chosen,
        "states": STATES,
        "reason_name": reason_name,
        "short": LANGUAGES,
        "call_languages": CALL_LANGUAGES,
        "now": clock.now(),
    }


def _trunks() -> dict[str, object]:
    plans = {trunk.name: trunk for trunk in routing.current(site()).trunks}
    return {"trunks": devices.trunks(), "plans": plans, "now": clock.now()}


def _phone() -> dict[str, object]:
    """Whom the supervisor listens to, or that he has no phone."""
    extension = me().extension
    own = devices.phone(extension) if extension else None
    line = None
    if own and own.channels:
        try:
            line = actions.line(site(), extension)
        except (actions.Refused, actions.Unreachable):
            line = None
    heard = next((u for u in accounts.operators() if line and u.extension == line.other), None)
    return {"own_phone": own, "line": line, "heard_operator": heard}
