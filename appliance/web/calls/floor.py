"""The floor, the page of supervisors: ongoing calls, operators, trunks, and actions on talks."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from flask import Blueprint, abort, render_template, request
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance.box import health
from appliance.core import audit, clock
from appliance.pbx import actions
from appliance.people import accounts, presence
from appliance.reports.kpi import ASA_TARGET_SECONDS, SERVICE_LEVEL_TARGET_PERCENT
from appliance.reports.today import count_today
from appliance.telephony import calls, devices, routing
from appliance.web.calls import announcements, daily_calls, desks
from appliance.web.shared.ongoing_calls import ongoing_calls
from appliance.web.shared.telephony_labels import SHORT_LANGUAGE_NAMES, pause_reason_name
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, start_of_today
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

screen = Blueprint("floor", __name__, url_prefix="/floor")

# By stage of a call: its name, the badge's kind, the icon.
STAGES: dict[str, tuple[LazyString, str, str]] = {
    "menu": (_l("In the menu"), "", "phone-incoming"),
    "queue": (_l("Pending"), "warn", "hourglass"),
    "ringing": (_l("Phone ringing"), "warn", "phone-incoming"),
    "talk": (_l("Talk"), "accent", "phone-call"),
    "rating": (_l("After the conversation"), "", "star"),
}
# By state of an operator: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "ringing": (_l("Phone ringing"), "warn", "phone-incoming"),
    "wrap_up": (_l("Wrap-up"), "", "pencil"),
    **daily_calls.STATES,
}
MAX_WAITING_BARS = 5  # callers shown as bars; the others are only counted
REASONS: dict[str, LazyString] = {
    "quality": _l("Quality"),
    "help": _l("Help"),
    "training": _l("Training"),
    "complaint": _l("Complaint"),
}
TROUBLES: dict[str, LazyString] = {
    "reason": _l("Choose a reason first."),
    "no_talk": _l("This operator is not speaking with anybody right now."),
    "over": _l("The call is already over."),
    "no_phone": _l("You have no phone: the technician can assign one to you."),
    "phone_off": _l("Your phone is not connected: switch it on."),
    "phone_busy": _l("Your phone is in use: hang up first."),
    "not_listening": _l("Listen to the conversation first, then take it over."),
    "exchange": _l("The exchange did not do it. Try again."),
}
UNREACHABLE = _l("The exchange does not answer.")
SUPERVISION_HINTS: dict[str, LazyString] = {
    "listen": _l("Pick up your phone: you listen to the conversation and cannot be heard."),
    "whisper": _l("Pick up your phone: you speak only with the operator."),
    "barge": _l("Pick up your phone: you speak with both of them."),
}


@screen.get("")
@may("floor.lead")
def show_floor() -> str:
    """Show the whole page; `who` is the login of the operator whose talk and actions are shown."""
    login = request.args.get("who", "")
    context = (
        _live_calls_context()
        | _waiting_context()
        | _figures_context()
        | _selected_operator_context(login)
        | _trunks_context()
        | _phone_context()
    )
    form_context = announcements.announcement_form_context()
    return render_template("floor/page.html", reasons=REASONS, **form_context, **context)


@screen.get("/calls")
@may("floor.lead")
def show_live_calls() -> str:
    """Show the ongoing calls as a fragment of the page."""
    return render_template("floor/calls.html", **_live_calls_context())


@screen.get("/waiting")
@may("floor.lead")
def show_waiting_callers() -> str:
    """Show waiting callers as bars, as a fragment of the page.

    A bar grows with the wait until the promised time of an answer.
    """
    return render_template("floor/waiting.html", **_waiting_context())


@screen.get("/figures")
@may("floor.lead")
def show_floor_figures() -> str:
    """Show today's service level and the longest current wait, as a fragment of the page."""
    return render_template("floor/figures.html", **_figures_context())


@screen.get("/operators")
@may("floor.lead")
def show_operator_cards() -> str:
    """Show the operators as cards by state, as a fragment of the page."""
    return render_template("floor/operators.html", **_desks_context(request.args.get("who", "")))


@screen.get("/operators/<login>")
@may("floor.lead")
def show_operator(login: str) -> str:
    """Show one operator's talk and what the supervisor can do, as a fragment of the page."""
    _operator_or_404(login)
    return render_template("floor/chosen.html", **_selected_operator_context(login))


@screen.get("/trunks")
@may("floor.lead")
def show_trunks() -> str:
    """Show the trunks (lines to the carriers), as a fragment of the page."""
    return render_template("floor/trunks.html", **_trunks_context())


@screen.get("/phone")
@may("floor.lead")
def show_supervisor_phone() -> str:
    """Show the state of the supervisor's own phone as a fragment of the page."""
    return render_template("floor/phone.html", **_phone_context())


@screen.post("/operators/<login>/<any(listen, whisper, barge):mode>")
@may("floor.lead")
def supervise_talk(login: str, mode: str) -> str:
    """Listen to an operator's talk, speak only to the operator (whisper), or with both (barge).

    The reason is required and recorded in the audit.
    """
    operator, reason = _operator_or_404(login), request.form.get("reason", "")
    if reason not in REASONS:
        return _render_message(TROUBLES["reason"])

    def start_supervision() -> None:
        """Start it, and record it with the reason in the audit."""
        call = actions.supervise_talk(site(), me(), operator, mode)
        audit.record_entry(me().login, f"supervise.{mode}", login, call=call, reason=reason)

    return _run_action(start_supervision, SUPERVISION_HINTS[mode])


@screen.post("/operators/<login>/take-over")
@may("floor.lead")
def take_over_call(login: str) -> str:
    """Connect the operator's caller to the supervisor who is listening to them."""
    operator = _operator_or_404(login)

    def transfer_caller() -> None:
        """Transfer the caller, and record that in the audit."""
        call = actions.take_over_talk(site(), me(), operator)
        audit.record_entry(me().login, "supervise.take_over", login, call=call)

    return _run_action(transfer_caller, _l("You are speaking with the caller."))


@screen.post("/operators/<login>/hang-up")
@may("floor.lead")
def hang_up_talk(login: str) -> str:
    """End the operator's talk, if it is still that of the submitted `call` and not a later one.

    `call` is the id of the call that the page showed. The caller is then asked for a rating.
    """
    operator, call = _operator_or_404(login), calls.current_call(login)
    if not call or call.id != request.form.get("call"):
        return _render_message(TROUBLES["over"])

    def end_talk() -> None:
        """Hang up the operator's phone, and record that in the audit."""
        actions.hang_up_phone(site(), call.id, operator.extension)
        audit.record_entry(me().login, "supervise.hang_up", login, call=call.id)

    return _run_action(end_talk, _l("The conversation is over."))


@screen.post("/operators/<login>/<any(ready, pause):state>")
@may("floor.lead")
def set_operator_state(login: str, state: str) -> str:
    """Put an operator on a pause, or make them ready; the response says whether that worked."""
    operator = _operator_or_404(login)
    reason = presence.FORCED if state == "pause" else ""
    return _run_action(
        lambda: actions.choose_state(site(), operator, state, reason=reason, by=me().login),
        _l("Done."),
    )


@screen.post("/stop")
@may("floor.lead")
def stop_supervision() -> str:
    """Leave the talk that the supervisor is listening to."""
    return _run_action(lambda: actions.stop_supervising(site(), me()), _l("Done."))


def _run_action(action: Callable[[], None], success_text: LazyString) -> str:
    """Run an action on the exchange (Asterisk) and return its result as a fragment of the page.

    That is `success_text`, or why the action was refused or Asterisk does not respond.
    """
    try:
        action()
    except actions.ActionRefused as error:
        return _render_message(TROUBLES.get(error.code, TROUBLES["exchange"]))
    except actions.Unreachable:
        return _render_message(UNREACHABLE)
    return _render_message(success_text, success=True)


def _render_message(text: LazyString, success: bool = False) -> str:
    """Render the result of an action as a fragment of the page; `success` decides its colour."""
    return render_template("floor/said.html", words=text, good=success)


def _operator_or_404(login: str) -> "User":
    """Return the active operator with this login; abort with 404 if there is no such operator."""
    matches = (user for user in accounts.active_operators() if user.login == login)
    return next(matches, None) or abort(404)


def _live_calls_context() -> dict[str, object]:
    """Return the context of the ongoing calls: those first for which an operator is needed."""
    live = ongoing_calls()
    disclosure.log_shown("call", [live_call.call.id for live_call in live])
    order = {stage: number for number, stage in enumerate(("ringing", "queue", "talk", "menu"))}
    sorted_calls = sorted(live, key=lambda call: (order.get(call.stage, len(order)), call.since))
    return {
        "live_calls": sorted_calls,
        "stages": STAGES,
        "counts": {stage: sum(live_call.stage == stage for live_call in live) for stage in STAGES},
        "names": accounts.display_names(locale()),
        "call_languages": CALL_LANGUAGES,
        "now": clock.now(),
    }


def _waiting_context() -> dict[str, object]:
    """Return the context of the waiting callers, the longest wait first.

    `waits` are those shown as bars, `more` is the number of the others; `promised` is the promised
    time of an answer in seconds.
    """
    waits = [live_call for live_call in ongoing_calls() if live_call.waiting_since]
    waits.sort(key=lambda call: call.waiting_since or call.since)
    return {
        "waits": waits[:MAX_WAITING_BARS],
        "more": len(waits[MAX_WAITING_BARS:]),
        "short": SHORT_LANGUAGE_NAMES,
        "promised": ASA_TARGET_SECONDS,
        "now": clock.now(),
    }


def _figures_context() -> dict[str, object]:
    """Return the context of today's figures.

    `level` is the number of seconds within which calls are to be answered, `demanded` the required
    percentage of them; `oldest` is when the longest waiting caller, if any, joined the queue;
    `observed` is False while the exchange does not respond, so that the figures may be out of date.
    """
    now = clock.now()
    waits = [live_call.waiting_since for live_call in ongoing_calls() if live_call.waiting_since]
    level = site().calls.service_level
    return {
        "day": count_today(start_of_today(), now, waits, level),
        "level": level,
        "demanded": SERVICE_LEVEL_TARGET_PERCENT,
        "oldest": min(waits, default=None),
        "observed": health.is_exchange_alive() is not False,
        "now": now,
    }


def _selected_operator_context(login: str) -> dict[str, object]:
    """Return the context of the operators and of the one with this login, whose caller is shown.

    That the call was shown is recorded in the audit.
    """
    context = _desks_context(login)
    if isinstance(desk := context["chosen"], desks.Desk) and desk.live:
        disclosure.log_shown("call", [desk.live.call.id])
    return context


def _desks_context(login: str) -> dict[str, object]:
    """Return the context of the operators, grouped by state (`desks`, see desks.Desk).

    `chosen` is the operator with the selected login, if any.
    """
    all_desks = desks.operator_desks()
    selected = next((desk for desk in all_desks if desk.user.login == login), None)
    return {
        "desks": {state: [d for d in all_desks if d.state == state] for state in desks.STATES},
        "chosen": selected,
        "states": STATES,
        "reason_name": pause_reason_name,
        "short": SHORT_LANGUAGE_NAMES,
        "call_languages": CALL_LANGUAGES,
        "now": clock.now(),
    }


def _trunks_context() -> dict[str, object]:
    """Return the context of the trunks: their current state, their settings by name (`plans`)."""
    plans = {trunk.name: trunk for trunk in routing.current_plan(site()).trunks}
    return {"trunks": devices.list_trunks(), "plans": plans, "now": clock.now()}


def _phone_context() -> dict[str, object]:
    """Return the context of the supervisor's own phone, and the operator they are listening to.

    The values are None if there is no phone, no call or no such operator.
    """
    extension = me().extension
    phone = devices.find_phone(extension) if extension else None
    line = None
    if phone and phone.channels:
        try:
            line = actions.phone_line(site(), extension)
        except (actions.ActionRefused, actions.Unreachable):
            line = None
    supervised_operator = next(
        (u for u in accounts.active_operators() if line and u.extension == line.other_number), None
    )
    return {"own_phone": phone, "line": line, "heard_operator": supervised_operator}
