"""The telephony as people decide it: its sections, its versions, putting one back."""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.pbx import actions
from appliance.people import accounts
from appliance.telephony import prompts, routing
from appliance.telephony.routing import Plan
from appliance.web.settings import change_words, changes, routing_words
from appliance.web.shell import refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import PlanVersion

screen = Blueprint("routing", __name__, url_prefix="/telephony")

type Sent = MultiDict[str, str]

FRESH = {"trunks": 1, "routes": 1, "numbers": 1, "topics": 3}  # blank rows to type into
_ROWS: dict[str, object] = {
    "trunks": routing.Trunk(""),
    "routes": routing.Route("", ()),
    "topics": routing.Topic("", "", ""),
}
_ROWS["numbers"] = routing.Number("", languages=())


@screen.get("/<name>")
@may("plan.change")
def section(name: str) -> str:
    """One section of the plan in force; or what was typed in it, with why it is not in force."""
    _check_section(name)
    if was := refusals.latest():
        return _typed(name, was.values, was.trouble)
    return _section(name, routing.shown(routing.current(site()), name))


@screen.post("/<name>")
@may("plan.change")
def save(name: str) -> Response | tuple[str, int]:
    """Show what this section as typed changes; when `confirmed`, try it and put it in force."""
    _check_section(name)
    if "edit" in request.form:
        return _again(name, "edit")
    if request.form.get("seen", "") != _number(routing.newest()):
        return _again(name, "newer")
    current = routing.current(site())
    try:
        wanted = routing.read(current, name, _counted(name, request.form))
        if "confirmed" not in request.form:
            routing.require(wanted)
            return _again(name, "changes")
        version = actions.put_plan(site(), wanted, me().login, request.form.get("note", ""))
    except routing.Faults:
        return _again(name, "faults")
    except actions.NotTaken as error:
        return _again(name, "not_taken", complaint=str(error))
    except (actions.Unreachable, actions.Refused):
        _link(current, wanted)
        flash(_("Saved. The exchange does not answer; it takes this over when it starts."))
        return redirect(url_for("routing.section", name=name))
    _link(current, wanted)
    flash(_("In force: version %(number)s.", number=version.id))
    return redirect(url_for("routing.section", name=name))


@screen.get("/versions")
@may("plan.change")
def versions() -> str:
    """Every version: when, who, why."""
    return render_template(
        "routing/versions.html",
        words=routing_words,
        versions=[(one, routing.changes(site(), one)) for one in routing.versions(100)],
        names=accounts.names(locale()),
    )


@screen.get("/versions/<int:number>")
@may("plan.change")
def version(number: int) -> str:
    """What a version says otherwise than the one in force."""
    return _version(_stored_version(number), refusals.latest().values.get("complaint", ""))


@screen.post("/versions/<int:number>")
@may("plan.change")
def restore(number: int) -> Response:
    """Put a version back in force."""
    kept, current = _stored_version(number), routing.current(site())
    wanted = Plan.from_json(kept.document)
    note = _("Version %(number)s put back", number=number)
    try:
        made = actions.put_plan(site(), wanted, me().login, note)
    except (routing.Faults, actions.NotTaken) as error:
        page = url_for("routing.version", number=number)
        return refusals.back(page, "not_taken", complaint=str(error))
    except (actions.Unreachable, actions.Refused):
        _link(current, wanted)
        flash(_("Saved. The exchange does not answer; it takes this over when it starts."))
        return redirect(url_for("routing.versions"))
    _link(current, wanted)
    flash(_("In force: version %(number)s.", number=made.id))
    return redirect(url_for("routing.versions"))


def _link(before: Plan, after: Plan) -> None:
    """Write down what the version just saved changed, at the request that the form names.

    A secret looks the same before and after.
    """
    found = {change_words.field_of(one): one for one in routing.differences(before, after)}
    changes.link(
        "routing",
        _number(routing.newest()),
        "",
        {n: one.before if one.before != one.after else None for n, one in found.items()},
        {n: one.after for n, one in found.items()},
    )


def _check_section(name: str) -> None:
    if name not in routing.SECTIONS:
        abort(404)


def _stored_version(number: int) -> "PlanVersion":
    return routing.version(number) or abort(404)


def _number(version: "PlanVersion | None") -> str:
    return str(version.id) if version else ""


def _again(name: str, trouble: str, complaint: str = "") -> Response | tuple[str, int]:
    """Lead back to the section with what was typed; see `_typed` for the troubles.

    A new password is kept nowhere, so a form that has one is answered at once.
    """
    sent = request.form
    if any(text and field.endswith("password") for field, text in sent.items()):
        status = 200 if trouble in ("edit", "changes") else 422
        return _typed(name, MultiDict([*sent.items(), ("complaint", complaint)]), trouble), status
    return refusals.back(url_for("routing.section", name=name), trouble, complaint=complaint)


def _typed(name: str, sent: Sent, trouble: str) -> str:
    """What was typed: to be mended ("faults", "not_taken", "newer", "edit") or its "changes"."""
    fields, faults = _counted(name, sent), {}
    try:
        wanted = routing.read(routing.current(site()), name, fields)
        routing.require(wanted)
        if trouble == "changes":
            return _changes(name, wanted, sent)
    except routing.Faults as found:
        faults = found.by_field
    return _section(
        name,
        fields,
        faults if trouble in ("faults", "changes") else {},
        complaint=sent.get("complaint", ""),
        newer=routing.newest() if trouble == "newer" else None,
        note=sent.get("note", ""),
        chosen=sent.get("request", ""),
    )


def _counted(name: str, sent: Sent) -> routing.Typed:
    return routing.counted(name, dict(sent.items()))


def _changes(name: str, wanted: Plan, sent: Sent) -> str:
    """What would change, before it is in force; what was typed goes along, unseen."""
    current = routing.current(site())
    texts = [
        (language, text)
        for language in prompts.LANGUAGES
        for prompt, text in prompts.of_plan(wanted, language).items()
        if text != prompts.of_plan(current, language).get(prompt)
    ]
    return render_template(
        "routing/changes.html",
        words=routing_words,
        section=name,
        differences=routing.differences(current, wanted),
        texts=texts,
        typed={n: t for n, t in sent.items() if n not in ("csrf_token", "complaint", "request")},
        chosen=sent.get("request", ""),
    )


def _section(
    name: str,
    fields: routing.Typed,
    faults: dict[str, str] | None = None,
    *,
    complaint: str = "",
    newer: "PlanVersion | None" = None,
    note: str = "",
    chosen: str = "",
) -> str:
    counts = {part: routing.rows(part, fields) for part in routing.SECTIONS[name] if part in FRESH}
    for part, count in counts.items():
        for number in range(count, count + FRESH[part]):
            fields |= routing.blank_row(part, _ROWS[part], number)
    return render_template(
        "routing/section.html",
        words=routing_words,
        section=name,
        parts=routing.SECTIONS[name],
        counts=counts,
        fresh=FRESH,
        columns={part: routing.columns(part) for part in routing.SECTIONS[name]},
        fields=fields,
        faults=faults or {},
        complaint=complaint,
        newer=newer,
        seen=_number(routing.newest()),
        typed_note=note,
        chosen=chosen,
        boxes=routing.BOXES,
        queues=_queues() if name == "queues" else [],
    )


def _queues() -> list[tuple[str, int]]:
    """(name, operators) of each queue that the plan in force makes."""
    return [
        (routing.queue_title(q, _), n) for q, n in routing.staffed(routing.current(site())).items()
    ]


def _version(kept: "PlanVersion", complaint: str = "") -> str:
    return render_template(
        "routing/version.html",
        words=routing_words,
        version=kept,
        newest=routing.newest(),
        complaint=complaint,
        changes=routing.changes(site(), kept),
        differences=routing.differences(routing.current(site()), Plan.from_json(kept.document)),
    )
