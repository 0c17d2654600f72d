"""The telephony as people decide it: its sections, its versions, putting one back."""

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance import plan
from appliance.models import PlanVersion, User
from appliance.pbx import actions
from appliance.plan import Plan
from appliance.web import plan_words
from appliance.web.access import may
from appliance.web.context import me, site

screen = Blueprint("plan", __name__, url_prefix="/telephony")

KEEPERS = ("manager", "technician")
FRESH = {"trunks": 1, "routes": 1, "numbers": 1, "topics": 3}  # blank rows to type into
_ROWS: dict[str, object] = {
    "trunks": plan.Trunk(""),
    "routes": plan.Route("", ()),
    "topics": plan.Topic("", "", ""),
}
_ROWS["numbers"] = plan.Number("", languages=())


@screen.get("")
@may(*KEEPERS)
def page() -> Response:
    """The first section."""
    return redirect(url_for("plan.section", name="trunks"))


@screen.get("/<name>")
@may(*KEEPERS)
def section(name: str) -> str:
    """One section of the plan in force."""
    _asked(name)
    return _section(name, plan.shown(plan.current(site()), name))


@screen.post("/<name>")
@may(*KEEPERS)
def save(name: str) -> Response | tuple[str, int]:
    """Try the plan with this section as typed, and put it in force."""
    _asked(name)
    typed = plan.counted(name, request.form.to_dict())
    newest = plan.newest()
    if request.form.get("seen", "") != _number(newest):
        return _section(name, typed, newer=newest), 409
    try:
        wanted = plan.read(plan.current(site()), name, typed)
        version = actions.put_plan(site(), wanted, me().login, request.form.get("note", ""))
    except plan.Faults as faults:
        return _section(name, typed, faults.by_field), 422
    except actions.NotTaken as error:
        return _section(name, typed, complaint=str(error)), 422
    except (actions.Unreachable, actions.Refused):
        flash(_("Saved. The exchange does not answer; it takes this over when it starts."))
        return redirect(url_for("plan.section", name=name))
    flash(_("In force: version %(number)s.", number=version.id))
    return redirect(url_for("plan.section", name=name))


@screen.get("/versions")
@may(*KEEPERS)
def versions() -> str:
    """Every version: when, who, why."""
    return render_template(
        "plan/versions.html",
        words=plan_words,
        versions=plan.versions(200),
        names={user.login: user.name for user in User.select()},
    )


@screen.get("/versions/<int:number>")
@may(*KEEPERS)
def version(number: int) -> str:
    """What a version says otherwise than the one in force."""
    return _version(_kept(number))


@screen.post("/versions/<int:number>")
@may(*KEEPERS)
def restore(number: int) -> Response | tuple[str, int]:
    """Put a version back in force."""
    kept = _kept(number)
    note = _("Version %(number)s put back", number=number)
    try:
        made = actions.put_plan(site(), Plan.from_json(kept.document), me().login, note)
    except (plan.Faults, actions.NotTaken) as error:
        return _version(kept, str(error)), 422
    except (actions.Unreachable, actions.Refused):
        flash(_("Saved. The exchange does not answer; it takes this over when it starts."))
        return redirect(url_for("plan.versions"))
    flash(_("In force: version %(number)s.", number=made.id))
    return redirect(url_for("plan.versions"))


def _asked(name: str) -> None:
    if name not in plan.SECTIONS:
        abort(404)


def _kept(number: int) -> PlanVersion:
    return PlanVersion.get_or_none(PlanVersion.id == number) or abort(404)


def _number(version: PlanVersion | None) -> str:
    return str(version.id) if version else ""


def _section(
    name: str,
    fields: plan.Typed,
    faults: dict[str, str] | None = None,
    *,
    complaint: str = "",
    newer: PlanVersion | None = None,
) -> str:
    counts = {part: plan.rows(part, fields) for part in plan.SECTIONS[name] if part in FRESH}
    for part, count in counts.items():
        for number in range(count, count + FRESH[part]):
            fields |= plan.blank_row(part, _ROWS[part], number)
    return render_template(
        "plan/section.html",
        words=plan_words,
        section=name,
        parts=plan.SECTIONS[name],
        counts=counts,
        fresh=FRESH,
        columns={part: plan.columns(part) for part in plan.SECTIONS[name]},
        fields=fields,
        faults=faults or {},
        complaint=complaint,
        newer=newer,
        seen=_number(plan.newest()),
        typed_note=request.form.get("note", ""),
        boxes=plan.BOXES,
    )


def _version(kept: PlanVersion, complaint: str = "") -> str:
    return render_template(
        "plan/version.html",
        words=plan_words,
        version=kept,
        newest=plan.newest(),
        complaint=complaint,
        differences=plan.differences(plan.current(site()), Plan.from_json(kept.document)),
    )
