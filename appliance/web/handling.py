"""What is done with an appeal on its page: taken over, answered, returned, corrected."""

import functools

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance import appeals, catalogs, departments, ministry, notices
from appliance.appeals import correcting, form, handling
from appliance.models import Appeal, Handling
from appliance.web import appeals as card
from appliance.web import forms, labels, standing
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.language import locale

screen = Blueprint("handling", __name__, url_prefix="/appeals")

type Answer = BaseResponse | str | tuple[str, int]


@screen.post("/<number>/steps")
@may("ministry")
def step(number: str) -> Answer:
    """Do what was chosen; refused, the card comes again with why, and the text stays."""
    appeal, sent = card.loaded(number), request.form
    action, text, version = (
        sent.get("action", ""),
        sent.get("text", ""),
        sent.get("version", 0, int),
    )
    chosen = sent.get("department", "")
    department = departments.chosen(chosen)
    tell = functools.partial(notices.answered, site())
    changed = functools.partial(ministry.changed, site())
    by, day = me().login, standing.today()
    try:
        handling.do(action, appeal, by, version, day, text, department, tell, changed)
    except handling.HandlingError as error:
        if error.code == "action":
            abort(400)
        kept = {"text": text, "action": action, "department": chosen}
        return card.shown(appeal, trouble=standing.TROUBLES[error.code], sent=kept), 409
    flash(_("Done: %(what)s", what=standing.DONE[action][0]))
    seen = appeals.visible_to(me()).where(Appeal.number == number).exists()
    there = url_for("appeals.page", number=number) if seen else url_for("portal.page")
    return redirect(there)  # forwarded, it is another department's


@screen.post("/<number>/contacted")
@may("operator", "supervisor", "ministry")
def contacted(number: str) -> Answer:
    """Note which specialist was contacted, now."""
    appeal = card.loaded(number)
    if not card.may_contact(appeal):
        abort(403)
    contact, version = request.form.get("contact", ""), request.form.get("version", 0, int)
    try:
        handling.consult(appeal, contact, me().login, version)
    except handling.HandlingError as error:
        kept = {"contact": contact}
        return card.shown(appeal, trouble=standing.TROUBLES[error.code], sent=kept), 409
    flash(_("Saved."))
    return redirect(url_for("appeals.page", number=number))


@screen.get("/<number>/correct")
@may("operator", "supervisor")
def correction(number: str) -> str:
    """The form of a registered appeal, to be corrected."""
    appeal = _own(number)
    return _correction(appeal, correcting.whole_values(appeal))


@screen.post("/<number>/correct")
@may("operator", "supervisor")
def correct(number: str) -> Answer:
    """Put the corrected form in force; a returned appeal goes back to the ministry."""
    appeal, values = _own(number), form.cleaned(request.form.to_dict())
    returned = handling.state_of(appeal) == "returned"
    version = request.form.get("version", 0, int)
    try:
        changes = appeals.correct(
            appeal,
            values,
            me().login,
            version,
            catalogs.working_calendar(site()),
            changed=functools.partial(ministry.changed, site()),
        )
    except handling.HandlingError as error:
        return _correction(appeal, values, str(standing.TROUBLES[error.code])), 409
    if returned:
        flash(_("Sent again to the ministry."))
    else:
        flash(_("Corrected.") if changes else _("Nothing was changed."))
    return redirect(url_for("appeals.page", number=number))


@screen.get("/returned")
@may("operator")
def returned() -> str:
    """The operator's appeals that came back, as a piece of his page."""
    return render_template("operator/returned.html", **came_back())


def came_back() -> dict[str, object]:
    """What operator/returned.html shows: (appeal, why, from whom, how near the deadline is)."""
    today, calendar, people = standing.today(), catalogs.working_calendar(site()), standing.names()
    found = []
    for appeal in appeals.returned_to(me()):
        back = next(s for s in handling.steps(appeal) if s.action == "return")
        near = standing.nearness(appeal.handling, today, calendar)
        found.append((appeal, back.text, standing.who(back.who, people), near))
    return {"returned": found}


def _own(number: str) -> Appeal:
    """The appeal, if whoever asks may correct it: its operator, or any supervisor."""
    appeal = card.loaded(number)
    if not card.may_correct(appeal):
        abort(403)
    return appeal


def _correction(appeal: Appeal, values: dict[str, str], trouble: str = "") -> str:
    now = Handling.get_by_id(appeal.id)
    back = next((s for s in handling.steps(appeal) if s.action == "return"), None)
    return render_template(
        "appeals/correction.html",
        appeal=appeal,
        handling=now,
        reason=back.text if back and now.state == "returned" else "",
        values=forms.worded(values),
        labels=labels,
        asked=form,
        catalogs={name: catalogs.choices(name, locale()) for name in form.LISTS},
        trouble=trouble,
        **forms.doubts(values),
    )
