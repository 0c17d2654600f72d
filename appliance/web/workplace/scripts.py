"""The call script next to the operator's form: what to say now, and the caller's possible answers.

A run is one use of a script for a form. A desk is an operator's form together with the
call it belongs to.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, jsonify, render_template
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import applicants, catalogs
from appliance.casework.appeals.desk import OperatorDesk
from appliance.casework.appeals.handling import handling_of_appeal
from appliance.casework.scripts import course, queries, runs, texts
from appliance.casework.scripts.definition import LANGUAGES
from appliance.core.i18n import base_language
from appliance.core.refusals import Refused
from appliance.people import accounts
from appliance.web.shared.operator_forms import own_desk
from appliance.web.shared.script_steps import LANGUAGE_NAMES, step_context
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.formats import date, phone
from appliance.web.shell.language import locale
from appliance.web.shell.refusals import trouble_message
from appliance.web.shell.request_data import require_json_object

if TYPE_CHECKING:
    from appliance.models import ScriptVersion

screen = Blueprint("scripts_beside", __name__, url_prefix="/operator/scripts")

TROUBLES: dict[str, LazyString] = {
    "changed": _l("The script has moved on in the meantime: look at the current step."),
    "none": _l("The script was left. Continue it first."),
    "most": _l("Too many scripts were started for this form."),
    "long": _l("This script has become too long: start it again."),
}


@screen.get("/<token>")
@may("desk.work")
def show_script(token: str) -> str:
    """Show the script of a form as a fragment of the page; empty if no script applies.

    Until a run is started, the first step of the first applicable script is shown. `gone` is how
    many steps lead to the open one, itself included; `others` are the other scripts that apply.
    """
    desk = own_desk(token)
    run = runs.latest_run(me(), desk.token, desk.call)
    applicable = _applicable_versions(desk)
    values = _placeholder_values(desk)
    disclosure.log_shown("draft", [desk.token])
    if not run and not applicable:
        return render_template("operator/script.html", run=None, version=None)
    version = run.row.version if run else applicable[0]
    script = run.script if run else queries.version_definition(version)
    language = run.row.language if run else _script_language(desk)
    step = script.find_step(run.step if run else script.steps[0].code)
    other_versions = [item for item in applicable if item.id != version.id]
    return render_template(
        "operator/script.html",
        desk=desk,
        run=run,
        version=version,
        title=texts.localized_text(script.title, locale()),
        language=language,
        languages=LANGUAGE_NAMES,
        others=[
            (item, texts.localized_text(queries.version_definition(item).title, locale()))
            for item in other_versions
        ],
        steps=[(item.code, texts.localized_text(item.name, locale())) for item in script.steps],
        gone=len(course.active_path(run.course)) if run else 1,
        **step_context(script, step or script.steps[0], language, values),
    )


@screen.post("/<token>/<any(begin, go, end, resume, speak):what>")
@may("desk.work")
def run_action(token: str, what: str) -> Response:
    """Start, continue, leave or resume a script, or change its language, as `what` says.

    In the JSON body, "begin" has `version` and `language`; "end" has `result`, one of runs.RESULTS;
    "speak" has `language`. For "go", the next step is the one before if `back` is true, or else the
    step `to`, or else that of the caller's `answer` (its number, from 1); `seen` is how many steps
    the page knew to have been opened: with any other number, the step is refused, so that a key
    pressed twice counts once. `trouble` in the response says why that was not possible, or "".
    """
    desk, body = own_desk(token), require_json_object()
    run = runs.latest_run(me(), desk.token, desk.call)
    try:
        if what == "begin":
            _start_script(desk, body)
        elif not run:
            return jsonify(trouble=str(TROUBLES["none"]))
        elif what == "go":
            seen_steps, answer, target_step = (
                body.get("seen"),
                body.get("answer", 0),
                body.get("to", ""),
            )
            if not (
                isinstance(seen_steps, int)
                and isinstance(answer, int)
                and isinstance(target_step, str)
            ):
                abort(422)
            runs.open_step(
                run, seen_steps, answer=answer, target=target_step, back=body.get("back") is True
            )
        elif what == "end":
            runs.end_run(run, str(body.get("result")))
        elif what == "speak":
            runs.change_language(run, str(body.get("language")))
        else:
            runs.resume_run(run)
    except Refused as error:
        return jsonify(trouble=str(trouble_message(TROUBLES, error.code)))
    return jsonify(trouble="")


def _start_script(desk: OperatorDesk, body: Mapping[str, Any]) -> None:
    """Start a run of the selected script, in the selected language or else that of the call.

    Raises Refused with the code `changed` if the script does not apply to the form any more.
    """
    version_id = body.get("version")
    version = next(
        (candidate for candidate in _applicable_versions(desk) if candidate.id == version_id), None
    )
    if not version:
        raise Refused("changed")
    language = body.get("language")
    script_language = language if language in LANGUAGES else _script_language(desk)
    runs.begin_run(me(), desk.token, desk.call, version, script_language)


def _applicable_versions(desk: OperatorDesk) -> "list[ScriptVersion]":
    """Return the scripts that apply to a form, in the versions in force when its call arrived.

    Without a call, they are the versions in force now.
    """
    direction = desk.draft.values.get("direction", "") if desk.draft else ""
    calendar = catalogs.working_calendar(site())
    situation = queries.call_situation(desk.call, direction, calendar, _script_language(desk))
    return queries.versions_for_call(situation, desk.call.arrived_at if desk.call else None)


def _script_language(desk: OperatorDesk) -> str:
    """Return the language of the call; if it is unknown, the one nearest to the user's own."""
    language: str | None = desk.call.language if desk.call else None
    return language if language in LANGUAGES else base_language(locale())


def _placeholder_values(desk: OperatorDesk) -> dict[str, str]:
    """Return the values of the placeholders in a script's texts, by placeholder.

    `number` and `due` (of the last appeal registered with the form) are left out until then.
    """
    draft_values: Mapping[str, str] = desk.draft.values if desk.draft else {}
    name = " ".join(filter(None, (draft_values.get("first_name"), draft_values.get("surname"))))
    values = {
        "name": name or draft_values.get("entity_name", ""),
        "operator": accounts.display_name(me(), locale()),
        "hotline": phone(site().calls.hotline_number),
    }
    if desk.registered:
        newest = desk.registered[-1]
        disclosure.log_shown("appeal", [newest.number])
        values["name"] = values["name"] or applicants.display_name(newest)
        values["number"] = newest.number
        if handling := handling_of_appeal(newest):
            values["due"] = date(handling.due_on)
    return values
