"""The script beside the operator's form: what to say now, what may be answered, where to go."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, jsonify, render_template
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import appeals, applicants, catalogs, knowledge
from appliance.casework.appeals.handling import of_appeal
from appliance.casework.scripts import course, queries, runs, texts
from appliance.casework.scripts.definition import LANGUAGES, RUSSIAN, UZBEK, Definition, Step
from appliance.people import accounts
from appliance.web.settings.script_words import WORDS, action_names, field_names
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.formats import date, phone
from appliance.web.shell.language import locale
from appliance.web.shell.sent import document

if TYPE_CHECKING:
    from appliance.models import ScriptVersion

screen = Blueprint("scripts_beside", __name__, url_prefix="/operator/scripts")

SPOKEN: dict[str, LazyString] = {UZBEK: _l("Uzbek"), RUSSIAN: _l("Russian")}
TROUBLES: dict[str, LazyString] = {
    "changed": _l("The script has gone on meanwhile: look at the step that is open."),
    "none": _l("The script was left. Go on with it first."),
    "most": _l("Too many scripts were begun for this form."),
    "long": _l("This script has gone too far: begin it anew."),
}
_OTHER = _l("This cannot be done so.")


@screen.get("/<token>")
@may("desk.work")
def beside(token: str) -> str:
    """The script of a form as a piece of the operator's page; nothing when there is none."""
    desk = _desk(token)
    run = runs.of_form(me(), desk.token, desk.call)
    fitting = _fitting(desk)
    values = _values(desk)
    disclosure.log_shown("draft", [desk.token])
    if not run and not fitting:
        return render_template("operator/script.html", run=None, version=None)
    version = run.row.version if run else fitting[0]
    script = run.script if run else queries.definition_of(version)
    language = run.row.language if run else _language(desk)
    step = script.step(run.step if run else script.steps[0].code)
    others = [one for one in fitting if one.id != version.id]
    return render_template(
        "operator/script.html",
        desk=desk,
        run=run,
        version=version,
        title=texts.read(script.title, locale()),
        language=language,
        languages=SPOKEN,
        others=[(one, texts.read(queries.definition_of(one).title, locale())) for one in others],
        steps=[(one.code, texts.read(one.name, locale())) for one in script.steps],
        gone=len(course.trail(run.course)) if run else 1,
        **step_shown(script, step or script.steps[0], language, values),
    )


@screen.post("/<token>/<any(begin, go, end, resume, speak):what>")
@may("desk.work")
def act(token: str, what: str) -> Response:
    """Begin a script, go on in it, leave it; answers why that cannot be done, "" when it was."""
    desk, sent = _desk(token), document()
    run = runs.of_form(me(), desk.token, desk.call)
    try:
        if what == "begin":
            _begin(desk, sent)
        elif not run:
            return jsonify(trouble=str(TROUBLES["none"]))
        elif what == "go":
            seen, answer, to = sent.get("seen"), sent.get("answer", 0), sent.get("to", "")
            if not (isinstance(seen, int) and isinstance(answer, int) and isinstance(to, str)):
                abort(422)
            runs.go(run, seen, answer=answer, to=to, back=sent.get("back") is True)
        elif what == "end":
            runs.end(run, str(sent.get("result")))
        elif what == "speak":
            runs.speak(run, str(sent.get("language")))
        else:
            runs.resume(run)
    except (runs.RunError, course.CourseError) as error:
        return jsonify(trouble=str(TROUBLES.get(error.code, _OTHER)))
    return jsonify(trouble="")


def step_shown(
    script: Definition, step: Step, language: str, values: Mapping[str, str]
) -> dict[str, Any]:
    """What operator/scriptstep.html shows of a step, with what is known of the call."""
    spoken = texts.language(step.said, language) or language
    slugs = step.articles
    names, actions = field_names(), action_names(slugs)
    return {
        "step": step,
        "parts": texts.parts_of(step.said, language, locale(), values),
        "called": WORDS,
        "step_name": texts.read(step.name, locale()),
        "made": texts.is_made(spoken, locale()),
        "note": texts.read(step.note, locale()),
        "fields": [(name, names.get(name, name)) for name in step.fields],
        "actions": [
            (one.kind, one.ref, actions.get(one.kind, {}).get(one.ref, one.ref))
            for one in step.actions
        ],
        "readable": {s for s, one in knowledge.titled(locale(), slugs).items() if one.in_force},
        "answers": [texts.plain(one.words, language, locale()) for one in step.answers],
        "place": script.place(step.code),
        "steps_in_all": len(script.steps),
    }


def _begin(desk: appeals.Desk, sent: Mapping[str, Any]) -> None:
    wanted = sent.get("version")
    version = next((one for one in _fitting(desk) if one.id == wanted), None)
    if not version:
        raise runs.RunError("changed")
    language = sent.get("language")
    spoken = language if language in LANGUAGES else _language(desk)
    runs.begin(me(), desk.token, desk.call, version, spoken)


def _fitting(desk: appeals.Desk) -> "list[ScriptVersion]":
    """The scripts for the form on the desk that were in force when its call arrived."""
    direction = desk.draft.values.get("direction", "") if desk.draft else ""
    calendar = catalogs.working_calendar(site())
    situation = queries.situation(desk.call, direction, calendar, _language(desk))
    return queries.fitting(situation, desk.call.arrived_at if desk.call else None)


def _language(desk: appeals.Desk) -> str:
    """The language of the call, else that of whoever reads."""
    if desk.call and desk.call.language in LANGUAGES:
        return desk.call.language
    return RUSSIAN if locale() == "ru" else UZBEK


def _values(desk: appeals.Desk) -> dict[str, str]:
    """What stands for the placeholders of the script's texts, as far as it is known."""
    typed: Mapping[str, str] = desk.draft.values if desk.draft else {}
    name = " ".join(filter(None, (typed.get("first_name"), typed.get("surname"))))
    found = {
        "name": name or typed.get("entity_name", ""),
        "operator": accounts.named(me(), locale()),
        "hotline": phone(site().calls.hotline_number),
    }
    if desk.registered:
        newest = desk.registered[-1]
        disclosure.log_shown("appeal", [newest.number])
        found["name"] = found["name"] or applicants.name_of(newest)
        found["number"] = newest.number
        if handled := of_appeal(newest):
            found["due"] = date(handled.due_on)
    return found


def _desk(token: str) -> appeals.Desk:
    """The operator's form of this name, registered or not; else 404."""
    return appeals.of_form(me(), token) or appeals.of_registered(me(), token) or abort(404)
