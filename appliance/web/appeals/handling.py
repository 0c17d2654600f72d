"""What is done with an appeal on its page: taken over, answered, returned, corrected."""

import datetime as dt
import functools
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import appeals, catalogs, departments, ministry
from appliance.casework.appeals import answer_drafts, correcting, form, handling
from appliance.messaging import notices
from appliance.people import accounts
from appliance.telephony import calls
from appliance.web.appeals import appeal_labels, card, portal
from appliance.web.shell import disclosure, formats, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded, document
from appliance.web.workplace import forms

if TYPE_CHECKING:
    from appliance.models import Appeal

screen = Blueprint("handling", __name__, url_prefix="/appeals")


@screen.post("/<number>/steps")
@may("appeal.answer")
def step(number: str) -> Response:
    """Do what was chosen; refused, the card comes again with why, and the text stays."""
    appeal, sent = card.loaded(number), request.form
    action, text, version = (
        sent.get("action", ""),
        sent.get("text", ""),
        sent.get("version", 0, bounded),
    )
    department = departments.chosen(sent.get("department", ""))
    # an answer can be taken back for a while, and nobody is told of it before
    delay = handling.HELD_BACK if action == "answer" else dt.timedelta()
    tell = functools.partial(notices.answered, site(), delay=delay)
    changed = functools.partial(ministry.changed, site(), delay=delay)
    by, day = me().login, appeal_labels.today()
    try:
        handling.do(action, appeal, by, version, day, text, department, tell, changed)
    except handling.HandlingError as error:
        if error.code == "action":
            abort(400)
        return refusals.back(_there(number), error.code)
    if "text" in sent:
        answer_drafts.discard(me(), appeal)
    flash(_("Done: %(what)s", what=appeal_labels.DONE[action][0]))
    seen = appeals.find(number, me())  # forwarded, it is another department's
    return redirect(_there(number) if seen else url_for("portal.page", **_list()))


@screen.post("/<number>/undo")
@may("appeal.answer")
def undo(number: str) -> Response:
    """Take one's own answer back within ten seconds; its text is a draft again."""
    appeal, version = card.loaded(number), request.form.get("version", 0, bounded)
    there = _there(number)
    try:
        text = handling.undo(
            appeal, me().login, version, functools.partial(ministry.changed, site())
        )
    except handling.HandlingError as error:
        return refusals.back(there, error.code)
    answer_drafts.save(me(), appeal, "answer", text)
    flash(_("The answer is taken back: nobody was told of it."))
    return redirect(there)


@screen.post("/<number>/draft")
@may("appeal.answer")
def draft(number: str) -> Response | tuple[Response, int]:
    """Keep an answer while it is typed; 409 when it is being written in another tab."""
    appeal, sent = card.loaded(number), document()
    action, text, department = (str(sent.get(n, "")) for n in ("action", "text", "department"))
    if action not in appeal_labels.TODO:
        abort(422)
    known = answer_drafts.of(me(), appeal)
    seen = known and known.updated_at if sent.get("last") else _moment_of(sent.get("seen"))
    try:
        kept = answer_drafts.save(me(), appeal, action, text, department, seen)
    except answer_drafts.Elsewhere:
        return jsonify(words=_("You are writing it in another tab: this text is not saved.")), 409
    if not kept:
        return jsonify(saved_at="", words="")
    words = _("Draft saved, %(time)s", time=formats.time(kept.updated_at))
    return jsonify(saved_at=kept.updated_at.isoformat(), words=words)


def _list() -> dict[str, Any]:
    """The filters of the list beside the card that was sent."""
    return portal.asked_in(request.form.get("list", ""))


def _there(number: str) -> str:
    """The card's address, with its list beside it."""
    return url_for("appeals.page", number=number, **_list())


def _moment_of(text: object) -> dt.datetime | None:
    """When the draft was saved that the page knows of; None for none."""
    try:
        return dt.datetime.fromisoformat(str(text or ""))
    except ValueError:
        return None


@screen.post("/<number>/contacted")
@may("appeal.consult")
def contacted(number: str) -> Response:
    """Note which specialist was contacted, now."""
    appeal = card.loaded(number)
    if not card.may_contact(appeal):
        abort(403)
    contact, version = request.form.get("contact", ""), request.form.get("version", 0, bounded)
    try:
        handling.consult(appeal, contact, me().login, version)
    except handling.HandlingError as error:
        return refusals.back(_followed_up(number), error.code)
    flash(_("Saved."))
    return redirect(_followed_up(number))


@screen.post("/<number>/concluded")
@may("appeal.consult")
def concluded(number: str) -> Response:
    """Note what came of the consultation."""
    appeal = card.loaded(number)
    if not appeal.consultation or not card.may_contact(appeal):
        abort(403)
    result, version = request.form.get("result", ""), request.form.get("version", 0, bounded)
    try:
        handling.conclude(appeal, result, me().login, version)
    except handling.HandlingError as error:
        return refusals.back(_followed_up(number), error.code)
    flash(_("Saved."))
    return redirect(_followed_up(number))


def _followed_up(number: str) -> str:
    """Back to where a consultation was followed up: the list (`back`), or the card."""
    if request.form.get("back") == "list" and me().role != "ministry":
        return url_for("consultations.page")
    return url_for("appeals.page", number=number)


@screen.get("/<number>/correct")
@may("appeal.correct")
def correction(number: str) -> str:
    """The form of a registered appeal, to be corrected."""
    appeal, was = _own(number), refusals.latest()
    asked = form.definition(appeal.form_version)
    values = correcting.whole_values(appeal)
    if was:
        values = _meant(appeal, was.values.to_dict())
    now = handling.of_appeal(appeal) or abort(404)
    back = next((s for s in handling.steps(appeal) if s.action == "return"), None)
    disclosure.log_shown("appeal", [appeal.number])
    return render_template(
        "appeals/correction.html",
        appeal=appeal,
        handling=now,
        reason=back.text if back and now.state == "returned" else "",
        trouble=appeal_labels.TROUBLES.get(was.trouble, ""),
        **forms.drawn(asked, values),
    )


@screen.post("/<number>/correct")
@may("appeal.correct")
def correct(number: str) -> Response:
    """Put the corrected form in force; a returned appeal goes back to the ministry."""
    appeal = _own(number)
    values = _meant(appeal, request.form.to_dict())
    returned = handling.state_of(appeal) == "returned"
    version = request.form.get("version", 0, bounded)
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
        return refusals.back(url_for(".correction", number=number), error.code)
    if returned:
        flash(_("Sent again to the ministry."))
    else:
        flash(_("Corrected.") if changes else _("Nothing was changed."))
    return redirect(url_for("appeals.page", number=number))


@screen.get("/returned")
@may("desk.work")
def returned() -> str:
    """The operator's appeals that came back, as a piece of his page."""
    return render_template("operator/returned.html", **came_back())


def came_back() -> dict[str, object]:
    """What operator/returned.html shows: (appeal, why, from whom, how near the deadline is)."""
    today, calendar, people = (
        appeal_labels.today(),
        catalogs.working_calendar(site()),
        accounts.names(locale()),
    )
    found = []
    for appeal in appeals.returned_to(me()):
        back = next(s for s in handling.steps(appeal) if s.action == "return")
        near = appeal_labels.nearness(appeal.handling, today, calendar)
        found.append((appeal, back.text, appeal_labels.who(back.who, people), near))
    disclosure.log_shown("appeal", [appeal.number for appeal, *_rest in found])
    return {"returned": found}


def _meant(appeal: "Appeal", sent: dict[str, str]) -> dict[str, str]:
    call = calls.call(appeal.call_id)
    kept = correcting.whole_values(appeal)
    values = forms.meant(sent, kept, call.citizen if call else None)
    return form.cleaned(values, appeal.form_version)


def _own(number: str) -> "Appeal":
    """The appeal, if whoever asks may correct it: its operator, or any supervisor."""
    appeal = card.loaded(number)
    if not card.may_correct(appeal):
        abort(403)
    return appeal
