"""Scripts as the manager writes them and the ministry approves them: steps, graph, versions."""

import datetime as dt
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import changes as requests
from appliance.casework import identity, versions
from appliance.casework.scripts import (
    comparing,
    counting,
    course,
    definition,
    editing,
    importing,
    queries,
    texts,
)
from appliance.reports import pdf
from appliance.reports import words as paper_words
from appliance.web.settings import script_shown
from appliance.web.settings import script_words as words
from appliance.web.shell import moments, refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded, whole
from appliance.web.shell.sizes import takes_file
from appliance.web.workplace.scripts import SPOKEN, step_shown

if TYPE_CHECKING:
    from appliance.models import ChangeRequest, ScriptVersion

screen = Blueprint("scripts", __name__, url_prefix="/scripts")

_REFUSED = (editing.ScriptError, definition.DefinitionError, versions.VersionError)
_ACTIONS = "any(send, take_back, approve, return, put, withdraw, retire)"


@screen.get("")
@may("script.read")
def page() -> str:
    """All scripts: for which calls each is, and where its versions stand."""
    was = refusals.latest()
    rows = [(one, queries.definition_of(one.shown)) for one in queries.listed()]
    return render_template(
        "scripts/page.html",
        rows=rows,
        trouble=words.trouble(was.trouble),
        typed=was.values,
        largest=importing.LARGEST,
        **script_shown.common(),
    )


@screen.post("")
@may("script.write")
def add() -> Response:
    """Begin a new script."""
    title = {name: request.form.get(f"title-{name}", "") for name in words.LANGUAGES}
    try:
        made = editing.add(title, me(), _request())
    except _REFUSED as refused:
        return refusals.back(url_for(".page"), refused.code)
    return redirect(url_for(".one", code=made.script.code))


@screen.post("/import")
@takes_file(importing.LARGEST + 1024 * 1024)
@may("script.write")
def take_in() -> Response:
    """Take the text of a document or a spreadsheet, as a new script or `into` the draft of one."""
    sent, (code, seen) = request.files.get("file"), _into()
    there = url_for(".page")
    if not sent:
        return refusals.back(there, "file", "import")
    try:
        made = importing.read(sent.filename or "", sent.read())
        if code:
            row = editing.take_in(_found(code).script, made, me(), seen, _request())
        else:
            row = editing.put_in(made, me(), _request())
    except (*_REFUSED, importing.UnreadableError) as refused:
        return refusals.back(there, refused.code, "import")
    flash(_("Taken from the document: look at the branches."))
    return redirect(url_for(".one", code=row.script.code))


@screen.get("/counts")
@may("script.counts")
def counts() -> str:
    """How scripts were followed, from one day (`first`) to another: the last thirty by default."""
    last = identity.day(request.args.get("last", "")) or today()
    first = identity.day(request.args.get("first", "")) or last - dt.timedelta(days=29)
    begin, end = (dt.datetime.combine(day, dt.time(), site().tz) for day in (first, last))
    return render_template(
        "scripts/counts.html",
        first=first,
        last=last,
        counts=counting.counted(begin, end + dt.timedelta(days=1)),
        **script_shown.common(),
    )


@screen.get("/<code>")
@may("script.read")
def one(code: str) -> str:
    """A script: its graph, its steps, what is wrong with it, its versions."""
    found, was = _found(code), refusals.latest()
    made = queries.definition_of(found.shown)
    return render_template(
        "scripts/one.html",
        found=found,
        row=found.shown,
        versions=versions.of(type(found.newest), found.script),
        against=found.in_force if found.to_come else None,
        shown=script_shown.differences(found),
        possible=versions.possible(found.shown, me().role),
        trouble=words.trouble(was.trouble),
        typed=was.values,
        **script_shown.drawn(made),
        **script_shown.common(),
    )


@screen.post("/<code>/draft")
@may("script.write")
def begin(code: str) -> Response:
    """Begin the next draft, from the version in force or from an earlier one (`number`)."""
    found, number = _found(code), request.form.get("number", None, bounded)
    return _done(code, lambda: editing.begin(found.script, me(), _request(), number))


@screen.post("/<code>/draft/discard")
@may("script.write")
def discard(code: str) -> Response:
    """Throw the draft away; a script that never had another version goes with it."""
    row = _draft(code)
    try:
        editing.discard(row, me(), _revision_seen())
    except _REFUSED as refused:
        return refusals.back(url_for(".one", code=code), refused.code)
    return redirect(url_for(".one", code=code) if queries.find(code) else url_for(".page"))


@screen.post("/<code>/about")
@may("script.write")
def about(code: str) -> Response:
    """What a draft is called, and for which calls it is."""
    sent = request.form
    title = {name: sent.get(f"title-{name}", "") for name in words.LANGUAGES}
    when = {
        "numbers": sent.getlist("numbers"),
        "topics": sent.getlist("topics"),
        "languages": sent.getlist("languages"),
        "hours": sent.get("hours", ""),
        "kinds": sent.getlist("kinds"),
    }
    row = _draft(code)
    return _done(
        code, lambda: editing.describe(row, title, when, me(), _revision_seen()), _("Saved.")
    )


@screen.post(f"/<code>/<{_ACTIONS}:action>")
@may("script.write", "script.approve")
def do(code: str, action: str) -> Response:
    """Send a version to the ministry, approve it, put it in force, and so on."""
    found = _found(code)
    row = found.in_force if action == "retire" else found.shown
    since = moments.typed() if action == "put" else None
    if isinstance(since, str) or not row:
        return refusals.back(url_for(".one", code=code), str(since or "changed"), "todo")
    before = found.in_force
    sent = request.form.get("words", "")
    try:
        made = editing.do(action, row, me(), _revision_seen(), words.known(), sent, since)
    except _REFUSED as refused:
        return refusals.back(url_for(".one", code=code), refused.code, "todo")
    if action == "put":
        _link(made, before)
    flash(_("Done: %(what)s", what=words.BUTTONS[action][0]))
    return redirect(url_for(".one", code=code))


@screen.get("/<code>/steps/new")
@may("script.write")
def new(code: str) -> str:
    """A step to be added."""
    return _step(code, "")


@screen.post("/<code>/steps")
@may("script.write")
def add_step(code: str) -> Response:
    """Add a step to the draft."""
    row, there = _draft(code), url_for(".new", code=code)
    return _saved(code, there, lambda e: editing.add_step(row, e, me(), _revision_seen()))


@screen.get("/<code>/steps/<step>")
@may("script.write")
def step(code: str, step: str) -> str:
    """A step of the draft, to be changed."""
    return _step(code, step)


@screen.post("/<code>/steps/<step>")
@may("script.write")
def change_step(code: str, step: str) -> Response:
    """Change a step of the draft."""
    row, there = _draft(code), url_for(".step", code=code, step=step)

    def save(entry: dict[str, Any]) -> str:
        editing.change_step(row, step, entry, me(), _revision_seen())
        return step

    return _saved(code, there, save)


@screen.post("/<code>/steps/<step>/<any(up, down, remove):what>")
@may("script.write")
def place(code: str, step: str, what: str) -> Response:
    """Move a step by one place, or take it out."""
    row = _draft(code)
    if what == "remove":
        return _done(code, lambda: editing.remove_step(row, step, me(), _revision_seen()))
    down = what == "down"
    return _done(
        code, lambda: editing.move_step(row, step, down, me(), _revision_seen()), anchor=step
    )


@screen.post("/<code>/preview")
@may("script.write")
def preview_step(code: str) -> str:
    """A step that is being typed, as the operator sees it: a piece of the open page."""
    made = queries.definition_of(_found(code).shown)
    entry = script_shown.entry(request.form) | {"code": "preview"}
    try:
        typed = definition.parse({"title": dict(made.title), "steps": [entry]}).steps[0]
    except definition.DefinitionError as refused:
        return render_template("scripts/preview_step.html", trouble=words.trouble(refused.code))
    shown = {language: step_shown(made, typed, language, {}) for language in made.needed}
    return render_template("scripts/preview_step.html", trouble=None, shown=shown, spoken=SPOKEN)


@screen.get("/<code>/preview")
@may("script.read")
def preview(code: str) -> str:
    """A script as the operator goes through it; `way` holds what was answered so far."""
    found = _found(code)
    number = request.args.get("version", found.shown.number, bounded)
    row = queries.version(found.script, number) or abort(404)
    made = queries.definition_of(row)
    language = request.args.get("language", "")
    language = language if language in made.needed else made.needed[0]
    way = [n for part in request.args.get("way", "").split("-") if (n := whole(part, 1, 9))]
    gone, taken = course.begun(made), []
    for answer in way:
        try:
            gone = course.answered(made, gone, answer)
        except course.CourseError:
            break
        taken.append(str(answer))
    open_step = made.step(gone[-1].step) or made.steps[0]
    return render_template(
        "scripts/preview.html",
        row=row,
        title=texts.read(made.title, locale()),
        language=language,
        spoken={one: SPOKEN[one] for one in made.needed},
        way="-".join(taken),
        before="-".join(taken[:-1]),
        is_begun=bool(taken),
        **step_shown(made, open_step, language, {}),
        **script_shown.common(code),
    )


@screen.get("/<code>/versions/<int:number>")
@may("script.read")
def version(code: str, number: int) -> str:
    """A version: its graph and steps, and what it says otherwise than another (`against`)."""
    found = _found(code)
    row = queries.version(found.script, number) or abort(404)
    against = request.args.get("against", max(1, number - 1), bounded)
    other = queries.version(found.script, against) or abort(404)
    made, before = queries.definition_of(row), queries.definition_of(other)
    return render_template(
        "scripts/version.html",
        found=found,
        row=row,
        other=other,
        versions=versions.of(type(row), found.script),
        shown=script_shown.changed(before, made),
        **script_shown.drawn(made),
        **script_shown.common(),
    )


@screen.get("/<code>/versions/<int:number>.pdf")
@may("script.read")
@heavy
def paper(code: str, number: int) -> Response:
    """A version as a paper to be signed, in both languages."""
    row = queries.version(_found(code).script, number) or abort(404)
    made = queries.definition_of(row)
    page = render_template(
        "scripts/paper.html",
        row=row,
        made=made,
        names={one.code: words.step_name(one) for one in made.steps},
        field_names=words.field_names(),
        action_names=words.action_names(),
        paper=paper_words.load(locale()),
        **script_shown.common(code),
    )
    name = f"script-{code}-{number}.pdf"
    sent = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(pdf.write(page), mimetype="application/pdf", headers=sent)


def _link(made: "ScriptVersion", before: "ScriptVersion | None") -> None:
    """Write down at the request that asked for it what was put in force."""
    asked = made.request
    if not asked or not asked.is_open:
        return
    now = comparing.as_texts(queries.definition_of(made))
    was = comparing.as_texts(queries.definition_of(before)) if before else {}
    ref = f"{made.script.code}/{made.number}"
    requests.link(asked, me(), "script", ref, script_shown.title(made), was, now)


def _step(code: str, name: str) -> str:
    row, was = _draft(code), refusals.latest()
    return render_template("scripts/step.html", **script_shown.step_page(row, name, was))


def _saved(code: str, there: str, do: Callable[[dict[str, Any]], str]) -> Response:
    try:
        name = do(script_shown.entry(request.form))
    except _REFUSED as refused:
        return refusals.back(there, refused.code)
    flash(_("Saved."))
    return redirect(f"{url_for('.one', code=code)}#step-{name}")


def _done(code: str, do: Callable[[], object], told: str = "", anchor: str = "") -> Response:
    there = url_for(".one", code=code)
    try:
        do()
    except _REFUSED as refused:
        return refusals.back(there, refused.code)
    if told:
        flash(told)
    return redirect(f"{there}#step-{anchor}" if anchor else there)


def _found(code: str) -> queries.Listed:
    return queries.find(code) or abort(404)


def _draft(code: str) -> "ScriptVersion":
    """The version of a script that is written now; 404 without one."""
    row = _found(code).to_come
    return row if row and row.state in versions.OPEN else abort(404)


def _request() -> "ChangeRequest | None":
    number = request.form.get("request", 0, bounded)
    asked = requests.find(number, me()) if number else None
    return asked if asked and asked.is_open else None


def _into() -> tuple[str, int]:
    """The script into which a text goes, and which revision of it was seen; "" for a new one."""
    code, _slash, seen = request.form.get("into", "").partition("/")
    return code, whole(seen, 0, 10**9) or 0


def _revision_seen() -> int:
    return request.form.get("seen", 0, bounded)
