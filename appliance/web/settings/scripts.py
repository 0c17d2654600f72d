"""Call scripts, written by the manager and approved by the ministry: steps, graph, versions."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import identity, versions
from appliance.casework.scripts import (
    counting,
    course,
    definition,
    editing,
    importing,
    queries,
    texts,
)
from appliance.core.refusals import Refused
from appliance.reports import pdf
from appliance.reports import report_texts as paper_words
from appliance.web.settings import script_contexts
from appliance.web.settings import script_labels as words
from appliance.web.settings.script_editing import (
    draft_or_404,
    import_target,
    link_version_to_request,
    open_request,
    revision_seen,
    script_or_404,
)
from appliance.web.shared.script_steps import (
    LANGUAGE_NAMES,
    action_names,
    field_names,
    step_context,
)
from appliance.web.shell import refusals, typed_times
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, start_of_day, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import parse_count, parse_integer
from appliance.web.shell.size_limits import accepts_file

screen = Blueprint("scripts", __name__, url_prefix="/scripts")

_ACTION_CONVERTER = "any(send, take_back, approve, return, put, withdraw, retire)"


@screen.get("")
@may("script.read")
def show_scripts() -> str:
    """Show all scripts: the calls to which each applies, and the state of its versions."""
    refusal = refusals.latest_refusal()
    rows = [
        (script, queries.version_definition(script.displayed_version))
        for script in queries.list_scripts()
    ]
    return render_template(
        "scripts/page.html",
        rows=rows,
        trouble=refusals.trouble_message(words.TROUBLES, refusal.trouble),
        typed=refusal.values,
        largest=importing.MAX_SCRIPT_FILE_BYTES,
        **script_contexts.common_context(),
    )


@screen.post("")
@may("script.write")
def create_script() -> Response:
    """Create a script and begin its first draft."""
    title = {name: request.form.get(f"title-{name}", "") for name in words.LANGUAGES}
    try:
        draft = editing.add_script(title, me(), open_request())
    except Refused as refused:
        return refusals.redirect_back(url_for(".show_scripts"), refused.code)
    return redirect(url_for(".show_script", code=draft.script.code))


@screen.post("/import")
@accepts_file(importing.MAX_SCRIPT_FILE_BYTES + 1024 * 1024)
@may("script.write")
def import_document() -> Response:
    """Import the text of a document or a spreadsheet as a script.

    It becomes a new script, or is merged into the draft of the script that the field `into` names.
    """
    upload, (code, revision) = request.files.get("file"), import_target()
    list_url = url_for(".show_scripts")
    if not upload:
        return refusals.redirect_back(list_url, "file", "import")
    try:
        content = importing.parse_script_file(upload.filename or "", upload.read())
        if code:
            row = editing.import_into_script(
                script_or_404(code).script, content, me(), revision, open_request()
            )
        else:
            row = editing.create_script(content, me(), open_request())
    except Refused as refused:
        return refusals.redirect_back(list_url, refused.code, "import")
    flash(_("Imported from the document: check the branches."))
    return redirect(url_for(".show_script", code=row.script.code))


@screen.get("/counts")
@may("script.counts")
def show_counts() -> str:
    """Show how often scripts were followed from the day `first` to the day `last`.

    By default these are the last 30 days.
    """
    last_date = identity.parse_plausible_date(request.args.get("last", "")) or today()
    first_date = identity.parse_plausible_date(
        request.args.get("first", "")
    ) or last_date - dt.timedelta(days=29)
    begin, end = (start_of_day(day) for day in (first_date, last_date))
    return render_template(
        "scripts/counts.html",
        first=first_date,
        last=last_date,
        counts=counting.script_usage(begin, end + dt.timedelta(days=1)),
        **script_contexts.common_context(),
    )


@screen.get("/<code>")
@may("script.read")
def show_script(code: str) -> str:
    """Show a script: its graph, its steps, its faults and its versions."""
    script, refusal = script_or_404(code), refusals.latest_refusal()
    content = queries.version_definition(script.displayed_version)
    return render_template(
        "scripts/one.html",
        found=script,
        row=script.displayed_version,
        versions=versions.list_versions(type(script.newest), script.script),
        against=script.in_force if script.pending_version else None,
        shown=script_contexts.pending_differences(script),
        possible=versions.allowed_actions(script.displayed_version, me().role),
        trouble=refusals.trouble_message(words.TROUBLES, refusal.trouble),
        typed=refusal.values,
        **script_contexts.script_context(content),
        **script_contexts.common_context(),
    )


@screen.post("/<code>/draft")
@may("script.write")
def begin_draft(code: str) -> Response:
    """Begin the next draft, from the version in force or from an earlier one (`number`)."""
    script, number = script_or_404(code), request.form.get("number", None, parse_count)
    return refusals.run_and_redirect(
        url_for(".show_script", code=code),
        lambda: editing.begin_draft(script.script, me(), open_request(), number),
    )


@screen.post("/<code>/draft/discard")
@may("script.write")
def discard_draft(code: str) -> Response:
    """Discard the draft; if the script has no other version, the script is deleted as well."""
    row = draft_or_404(code)
    try:
        editing.discard_draft(row, me(), revision_seen())
    except Refused as refused:
        return refusals.redirect_back(url_for(".show_script", code=code), refused.code)
    return redirect(
        url_for(".show_script", code=code)
        if queries.find_script(code)
        else url_for(".show_scripts")
    )


@screen.post("/<code>/about")
@may("script.write")
def save_description(code: str) -> Response:
    """Store the title of a draft and the conditions for the calls to which it applies."""
    form_data = request.form
    title = {name: form_data.get(f"title-{name}", "") for name in words.LANGUAGES}
    when = {
        "numbers": form_data.getlist("numbers"),
        "topics": form_data.getlist("topics"),
        "languages": form_data.getlist("languages"),
        "hours": form_data.get("hours", ""),
        "kinds": form_data.getlist("kinds"),
    }
    row = draft_or_404(code)
    return refusals.run_and_redirect(
        url_for(".show_script", code=code),
        lambda: editing.change_title_and_conditions(row, title, when, me(), revision_seen()),
        _("Saved."),
    )


@screen.post(f"/<code>/<{_ACTION_CONVERTER}:action>")
@may("script.write", "script.approve")
def perform_action(code: str, action: str) -> Response:
    """Perform an action on the version that the page shows; "retire", on the one in force."""
    script = script_or_404(code)
    row = script.in_force if action == "retire" else script.displayed_version
    since = typed_times.entered_time() if action == "put" else None
    if isinstance(since, str) or not row:
        return refusals.redirect_back(
            url_for(".show_script", code=code), str(since or "changed"), "todo"
        )
    before = script.in_force
    remark = request.form.get("words", "")
    try:
        version = editing.change_version_status(
            action, row, me(), revision_seen(), words.available_references(), remark, since
        )
    except Refused as refused:
        return refusals.redirect_back(url_for(".show_script", code=code), refused.code, "todo")
    if action == "put":
        link_version_to_request(version, before)
    flash(_("Done: %(what)s", what=words.BUTTONS[action][0]))
    return redirect(url_for(".show_script", code=code))


@screen.get("/<code>/steps/new")
@may("script.write")
def show_new_step(code: str) -> str:
    """Show the form for a new step."""
    return _render_step(code, "")


@screen.post("/<code>/steps")
@may("script.write")
def add_step(code: str) -> Response:
    """Add a step to the draft."""
    row, form_url = draft_or_404(code), url_for(".show_new_step", code=code)
    return _save_step(code, form_url, lambda e: editing.add_step(row, e, me(), revision_seen()))


@screen.get("/<code>/steps/<step>")
@may("script.write")
def show_step(code: str, step: str) -> str:
    """Show a step of the draft in the form, to be edited."""
    return _render_step(code, step)


@screen.post("/<code>/steps/<step>")
@may("script.write")
def change_step(code: str, step: str) -> Response:
    """Change a step of the draft."""
    row, step_url = draft_or_404(code), url_for(".show_step", code=code, step=step)

    def store_step(entry: dict[str, Any]) -> str:
        """Store the typed step; return its code."""
        editing.change_step(row, step, entry, me(), revision_seen())
        return step

    return _save_step(code, step_url, store_step)


@screen.post("/<code>/steps/<step>/<any(up, down, remove):what>")
@may("script.write")
def move_step(code: str, step: str, what: str) -> Response:
    """Move a step up or down by one place, or remove it."""
    row = draft_or_404(code)
    if what == "remove":
        return refusals.run_and_redirect(
            url_for(".show_script", code=code),
            lambda: editing.remove_step(row, step, me(), revision_seen()),
        )
    is_down = what == "down"
    return refusals.run_and_redirect(
        url_for(".show_script", code=code),
        lambda: editing.move_step(row, step, is_down, me(), revision_seen()),
        anchor=f"step-{step}",
    )


@screen.post("/<code>/preview")
@may("script.write")
def preview_step(code: str) -> str:
    """Show the step being typed as the operator will see it, as a fragment of the open page."""
    script = queries.version_definition(script_or_404(code).displayed_version)
    entry = script_contexts.step_entry(request.form) | {"code": "preview"}
    try:
        typed_step = definition.parse_definition(
            {"title": dict(script.title), "steps": [entry]}
        ).steps[0]
    except Refused as refused:
        return render_template(
            "scripts/preview_step.html",
            trouble=refusals.trouble_message(words.TROUBLES, refused.code),
        )
    step_by_language = {
        language: step_context(script, typed_step, language, {})
        for language in script.required_languages
    }
    return render_template(
        "scripts/preview_step.html", trouble=None, shown=step_by_language, spoken=LANGUAGE_NAMES
    )


@screen.get("/<code>/preview")
@may("script.read")
def show_preview(code: str) -> str:
    """Show a script as the operator will go through it, step by step.

    The parameter `way` has the numbers of the answers given until this step, such as "2-1".
    """
    script = script_or_404(code)
    number = request.args.get("version", script.displayed_version.number, parse_count)
    row = queries.find_version(script.script, number) or abort(404)
    content = queries.version_definition(row)
    language = request.args.get("language", "")
    language = language if language in content.required_languages else content.required_languages[0]
    way = [n for part in request.args.get("way", "").split("-") if (n := parse_integer(part, 1, 9))]
    progress, valid_answers = course.start_course(content), []
    for answer in way:
        try:
            progress = course.answer_step(content, progress, answer)
        except Refused:
            break
        valid_answers.append(str(answer))
    open_step = content.find_step(progress[-1].step) or content.steps[0]
    return render_template(
        "scripts/preview.html",
        row=row,
        title=texts.localized_text(content.title, locale()),
        language=language,
        spoken={item: LANGUAGE_NAMES[item] for item in content.required_languages},
        way="-".join(valid_answers),
        before="-".join(valid_answers[:-1]),
        is_begun=bool(valid_answers),
        **step_context(content, open_step, language, {}),
        **script_contexts.common_context(code),
    )


@screen.get("/<code>/versions/<int:number>")
@may("script.read")
def show_version(code: str, number: int) -> str:
    """Show a version, and how it differs from another (`against`, by default the previous one)."""
    script = script_or_404(code)
    row = queries.find_version(script.script, number) or abort(404)
    against = request.args.get("against", max(1, number - 1), parse_count)
    other = queries.find_version(script.script, against) or abort(404)
    content, before = queries.version_definition(row), queries.version_definition(other)
    return render_template(
        "scripts/version.html",
        found=script,
        row=row,
        other=other,
        versions=versions.list_versions(type(row), script.script),
        shown=script_contexts.version_differences(before, content),
        **script_contexts.script_context(content),
        **script_contexts.common_context(),
    )


@screen.get("/<code>/versions/<int:number>.pdf")
@may("script.read")
@long_running
def download_version_pdf(code: str, number: int) -> Response:
    """Send a version in both languages as a PDF to be signed."""
    row = queries.find_version(script_or_404(code).script, number) or abort(404)
    content = queries.version_definition(row)
    page = render_template(
        "scripts/paper.html",
        row=row,
        made=content,
        names={item.code: words.step_name(item) for item in content.steps},
        field_names=field_names(),
        action_names=action_names(),
        paper=paper_words.load_texts(locale()),
        **script_contexts.common_context(code),
    )
    name = f"script-{code}-{number}.pdf"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return Response(pdf.write_pdf(page), mimetype="application/pdf", headers=headers)


def _render_step(code: str, name: str) -> str:
    """Render the page of the draft's step with the code `name`; of a new step if it is empty."""
    row, refusal = draft_or_404(code), refusals.latest_refusal()
    return render_template(
        "scripts/step.html", **script_contexts.step_form_context(row, name, refusal)
    )


def _save_step(code: str, form_url: str, save: Callable[[dict[str, Any]], str]) -> Response:
    """Pass the typed step to `save`, and redirect to that step on the script's page.

    If the step is refused, redirects to `form_url`. `save` returns the code of the step.
    """
    try:
        step_code = save(script_contexts.step_entry(request.form))
    except Refused as refused:
        return refusals.redirect_back(form_url, refused.code)
    flash(_("Saved."))
    return redirect(f"{url_for('.show_script', code=code)}#step-{step_code}")
