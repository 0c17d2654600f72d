"""The telephony plan (all settings of how calls are handled): its sections and its versions."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.pbx import actions
from appliance.people import accounts
from appliance.telephony import prompts, routing
from appliance.telephony.routing import Plan
from appliance.web.settings import change_labels, changes, routing_labels
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import PlanVersion

screen = Blueprint("routing", __name__, url_prefix="/telephony")

type FormData = MultiDict[str, str]

BLANK_ROW_COUNTS = {"trunks": 1, "routes": 1, "numbers": 1, "topics": 3}  # blank rows to type into
_BLANK_ROWS: dict[str, object] = {
    "trunks": routing.Trunk(""),
    "routes": routing.Route("", ()),
    "topics": routing.Topic("", "", ""),
}
_BLANK_ROWS["numbers"] = routing.HotlineNumber("", languages=())


@screen.get("/<name>")
@may("plan.change")
def show_section(name: str) -> str:
    """Show one section of the plan in force; after a refusal, the typed values and the reason."""
    _check_section(name)
    if refusal := refusals.latest_refusal():
        return _render_typed(name, refusal.values, refusal.trouble)
    return _render_section(name, routing.section_fields(routing.current_plan(site()), name))


@screen.post("/<name>")
@may("plan.change")
def save_section(name: str) -> Response | tuple[str, int]:
    """Show what the typed section would change.

    If the form has `confirmed`, the plan is tested and put in force instead; if it has `edit`, the
    section is shown again to be edited further. It is also shown again if the section is invalid,
    or if another version was saved after the user opened the page (`seen`).
    """
    _check_section(name)
    if "edit" in request.form:
        return _redisplay_section(name, "edit")
    if request.form.get("seen", "") != _version_number_text(routing.newest_version()):
        return _redisplay_section(name, "newer")
    current = routing.current_plan(site())
    try:
        new_plan = routing.parse_section(current, name, _numbered_fields(name, request.form))
        if "confirmed" not in request.form:
            routing.require_valid(new_plan)
            return _redisplay_section(name, "changes")
        version = actions.apply_plan(site(), new_plan, me().login, request.form.get("note", ""))
    except routing.PlanFaults:
        return _redisplay_section(name, "faults")
    except actions.PlanRejected as error:
        return _redisplay_section(name, "not_taken", complaint=str(error))
    except (actions.Unreachable, actions.ActionRefused):
        _link_version_to_request(current, new_plan)
        flash(_("Saved. The exchange does not answer; it will load the change when it starts."))
        return redirect(url_for("routing.show_section", name=name))
    _link_version_to_request(current, new_plan)
    flash(_("In force: version %(number)s.", number=version.id))
    return redirect(url_for("routing.show_section", name=name))


@screen.get("/versions")
@may("plan.change")
def show_versions() -> str:
    """Show the latest versions of the plan: when they were saved, by whom and why."""
    return render_template(
        "routing/versions.html",
        words=routing_labels,
        versions=[
            (row, routing.version_changes(site(), row)) for row in routing.list_versions(100)
        ],
        names=accounts.display_names(locale()),
    )


@screen.get("/versions/<int:number>")
@may("plan.change")
def show_version(number: int) -> str:
    """Show how a version differs from the plan in force."""
    return _render_version(
        _version_or_404(number), refusals.latest_refusal().values.get("complaint", "")
    )


@screen.post("/versions/<int:number>")
@may("plan.change")
def restore_version(number: int) -> Response:
    """Put an earlier version of the plan in force again."""
    stored, current = _version_or_404(number), routing.current_plan(site())
    new_plan = Plan.from_json(stored.document)
    note = _("Version %(number)s restored", number=number)
    try:
        version = actions.apply_plan(site(), new_plan, me().login, note)
    except (routing.PlanFaults, actions.PlanRejected) as error:
        version_url = url_for("routing.show_version", number=number)
        return refusals.redirect_back(version_url, "not_taken", complaint=str(error))
    except (actions.Unreachable, actions.ActionRefused):
        _link_version_to_request(current, new_plan)
        flash(_("Saved. The exchange does not answer; it will load the change when it starts."))
        return redirect(url_for("routing.show_versions"))
    _link_version_to_request(current, new_plan)
    flash(_("In force: version %(number)s.", number=version.id))
    return redirect(url_for("routing.show_versions"))


def _link_version_to_request(before: Plan, after: Plan) -> None:
    """Add the changes of the version just saved to the change request that the form names, if any.

    A secret is masked, so that it looks the same before and after; its old value is recorded as
    None, so that it still counts as changed.
    """
    differences = {
        change_labels.link_field_name(difference): difference
        for difference in routing.plan_differences(before, after)
    }
    changes.link_to_request(
        "routing",
        _version_number_text(routing.newest_version()),
        "",
        {
            name: difference.before if difference.before != difference.after else None
            for name, difference in differences.items()
        },
        {name: difference.after for name, difference in differences.items()},
    )


def _check_section(name: str) -> None:
    """Abort with 404 if there is no section with this name."""
    if name not in routing.SECTIONS:
        abort(404)


def _version_or_404(number: int) -> "PlanVersion":
    """Return the version with this number; abort with 404 if there is no such version."""
    return routing.find_version(number) or abort(404)


def _version_number_text(version: "PlanVersion | None") -> str:
    """Return the number of a version as text; "" if there is no version."""
    return str(version.id) if version else ""


def _redisplay_section(name: str, trouble: str, complaint: str = "") -> Response | tuple[str, int]:
    """Show the section `name` again, with the typed values and the `trouble` (see _render_typed).

    The response is a redirect, for which the values are stored. A typed password must not be
    stored, so a form that contains one is answered with the page itself. `complaint` is why the
    exchange rejected the plan.
    """
    form_data = request.form
    if any(text and field.endswith("password") for field, text in form_data.items()):
        status = 200 if trouble in ("edit", "changes") else 422
        return _render_typed(
            name, MultiDict([*form_data.items(), ("complaint", complaint)]), trouble
        ), status
    return refusals.redirect_back(
        url_for("routing.show_section", name=name), trouble, complaint=complaint
    )


def _render_typed(name: str, form_data: FormData, trouble: str) -> str:
    """Render what a typed section would change, or its form to be corrected.

    `trouble` is "changes" for the former. For the form it is "faults" (some fields are invalid),
    "not_taken" (the exchange rejected the plan), "newer" (a newer version was saved in the
    meantime) or "edit" (the user wants to continue editing).
    """
    fields, faults = _numbered_fields(name, form_data), {}
    try:
        new_plan = routing.parse_section(routing.current_plan(site()), name, fields)
        routing.require_valid(new_plan)
        if trouble == "changes":
            return _render_changes(name, new_plan, form_data)
    except routing.PlanFaults as error:
        faults = error.by_field
    return _render_section(
        name,
        fields,
        faults if trouble in ("faults", "changes") else {},
        complaint=form_data.get("complaint", ""),
        newer=routing.newest_version() if trouble == "newer" else None,
        note=form_data.get("note", ""),
        request_number=form_data.get("request", ""),
    )


def _numbered_fields(name: str, form_data: FormData) -> routing.FieldTexts:
    """Return the typed fields of a section without blank rows, the other rows renumbered.

    The rows are numbered consecutively. `name` is the section's name.
    """
    return routing.renumber_rows(name, dict(form_data.items()))


def _render_changes(name: str, new_plan: Plan, form_data: FormData) -> str:
    """Render the page that shows what a new plan would change, to be confirmed.

    It contains the typed values of the section `name` (`form_data`) as hidden fields.
    """
    current = routing.current_plan(site())
    texts = [
        (language, text)
        for language in prompts.LANGUAGES
        for prompt, text in prompts.texts_of_plan(new_plan, language).items()
        if text != prompts.texts_of_plan(current, language).get(prompt)
    ]
    return render_template(
        "routing/changes.html",
        words=routing_labels,
        section=name,
        differences=routing.plan_differences(current, new_plan),
        texts=texts,
        typed={
            n: t for n, t in form_data.items() if n not in ("csrf_token", "complaint", "request")
        },
        chosen=form_data.get("request", ""),
    )


def _render_section(
    name: str,
    fields: routing.FieldTexts,
    faults: dict[str, str] | None = None,
    *,
    complaint: str = "",
    newer: "PlanVersion | None" = None,
    note: str = "",
    request_number: str = "",
) -> str:
    """Render the form of a section, with blank rows to type into.

    `fields` are the texts to show in the form, by field; `faults` the codes of invalid fields, by
    field; `complaint` is why the exchange rejected the plan; `newer` is a version that was saved in
    the meantime. `note` (why the plan is changed) and `request_number` (the change request) were
    typed or selected before.
    """
    counts = {
        part: routing.count_rows(part, fields)
        for part in routing.SECTIONS[name]
        if part in BLANK_ROW_COUNTS
    }
    for part, count in counts.items():
        for number in range(count, count + BLANK_ROW_COUNTS[part]):
            fields |= routing.blank_row(part, _BLANK_ROWS[part], number)
    return render_template(
        "routing/section.html",
        words=routing_labels,
        section=name,
        parts=routing.SECTIONS[name],
        counts=counts,
        fresh=BLANK_ROW_COUNTS,
        columns={part: routing.part_fields(part) for part in routing.SECTIONS[name]},
        fields=fields,
        faults=faults or {},
        complaint=complaint,
        newer=newer,
        seen=_version_number_text(routing.newest_version()),
        typed_note=note,
        chosen=request_number,
        boxes=routing.CHECKBOX_FIELDS,
        queues=_queue_staffing() if name == "queues" else [],
    )


def _queue_staffing() -> list[tuple[str, int]]:
    """Return (title, number of operators) of each queue of the plan in force."""
    return [
        (routing.queue_title(q, _), n)
        for q, n in routing.operators_per_queue(routing.current_plan(site())).items()
    ]


def _render_version(version: "PlanVersion", complaint: str = "") -> str:
    """Render the page of a version, with `complaint` if it could not be put in force."""
    return render_template(
        "routing/version.html",
        words=routing_labels,
        version=version,
        newest=routing.newest_version(),
        complaint=complaint,
        changes=routing.version_changes(site(), version),
        differences=routing.plan_differences(
            routing.current_plan(site()), Plan.from_json(version.document)
        ),
    )
