"""A registered appeal: its form, the call it hangs on, its history, what may be done with it."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, request, session, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import appeals, applicants, catalogs, departments, forms, ministry
from appliance.casework.appeals import (
    answer_drafts,
    consultations,
    deadlines,
    form,
    handling,
    listing,
    personal,
    states,
)
from appliance.casework.scripts import runs
from appliance.core import clock
from appliance.core.i18n import named
from appliance.messaging import notices
from appliance.messaging.notices import manual
from appliance.people import accounts, rights
from appliance.telephony import calls
from appliance.web.appeals import appeal_labels, portal
from appliance.web.calls import evidence, scripts, short_messages
from appliance.web.calls.call import recorded
from appliance.web.knowledge import reading
from appliance.web.shell import disclosure, formats, labels, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.status.ministry import STANDS

if TYPE_CHECKING:
    from appliance.models import Appeal, AppealStep

screen = Blueprint("appeals", __name__, url_prefix="/appeals")

LOOKED_UP = "looked_up"  # in the session: numbers that an operator has found (lookup.py)


@screen.get("/<number>")
@may("appeal.read")
def page(number: str) -> str:
    """One appeal, and why what was sent could not be done; whoever sees it is written down.

    For the ministry it stands beside the list that the address asks for.
    """
    appeal = seen(number)
    disclosure.log_shown("appeal", [appeal.number])
    if appeal.veiled:
        return _veiled(appeal)
    personal.opened(appeal, me())
    if me().role != "ministry":
        return render_template("appeals/page.html", **_card(appeal), list_args={})
    found, _asked = portal.listed()
    disclosure.beside("appeal", [listed.number for listed, *_rest in found["lines"]])
    beside = found | portal.choices() | {"opened": number}
    return render_template("portal/inbox.html", **(beside | _card(appeal)))


@screen.post("/<number>/reveal")
@may("appeal.personal")
def reveal(number: str) -> BaseResponse:
    """Open a personal appeal for a reason, for a while."""
    if not personal.may_reveal(me()):
        abort(403)
    appeal, there = seen(number), url_for(".page", number=number)
    try:
        personal.reveal(me(), appeal, request.form.get("reason", ""))
    except personal.NoReason:
        return refusals.back(there, "reason")
    return redirect(there)


def _veiled(appeal: "Appeal") -> str:
    """That it is there, and how to open it."""
    now = handling.of_appeal(appeal)
    calendar = catalogs.working_calendar(site())
    return render_template(
        "appeals/veiled.html",
        appeal=appeal,
        handling=now,
        near=appeal_labels.nearness(now, appeal_labels.today(), calendar) if now else None,
        states=appeal_labels.STATES,
        kind=catalogs.label("appeal_type", appeal.appeal_type, locale()),
        direction=catalogs.label("direction", appeal.direction, locale()),
        named=lambda thing: named(thing, locale()),
        may_reveal=personal.may_reveal(me()),
        unreasoned=refusals.latest().trouble == "reason",
        **_readers(appeal),
    )


def _readers(appeal: "Appeal") -> dict[str, Any]:
    """What appeals/readers.html shows; nothing to who may not name anybody."""
    if appeal.openness != personal.PERSONAL or not rights.has(me(), "appeal.readers"):
        return {"readers": None}
    readers = personal.readers(appeal)
    taken = {one.login for one in readers}
    able = [user for user in personal.may_be_named(me()) if user.login not in taken]
    return {
        "readers": readers,
        "nameable": [(user.login, accounts.named(user, locale())) for user in able],
        "reader_names": accounts.names(locale()),
    }


def _card(appeal: "Appeal") -> dict[str, Any]:
    """What appeals/card.html shows."""
    was = refusals.latest()
    return dict(
        appeal=appeal,
        name=applicants.name_of(appeal),
        rows=_rows(appeal),
        as_typed=labels.typed,
        doubts=labels.doubts_by_field(appeal.warnings),
        empty=labels.empty_fields(appeal.warnings),
        values=labels.VALUES,
        kind=catalogs.label("appeal_type", appeal.appeal_type, locale()),
        others=appeals.others_of(appeal, me()),
        followed=scripts.shown(runs.of_form_kept(appeal)),
        opened_articles=reading.shown_at(appeal.call_id, appeal.token),
        consultation=consultations.of_appeal(appeal),
        consultation_state=appeal_labels.consultation_state,
        **_written(appeal, was),
        trouble=appeal_labels.TROUBLES.get(was.trouble, ""),
        **short_messages.shown(
            "appeal",
            appeal.number,
            notices.of_appeal(appeal),
            manual.of_appeal(site(), appeal) if may_write(appeal) and site().sms else None,
        ),
        **_recorded(appeal),
        **evidence.shown(appeal=appeal.number),
        **_standing(appeal),
        **_todo(appeal),
        **_readers(appeal),
        **_next(appeal),
    )


@screen.get("/<number>/<any(standing, history):piece>")
@may("appeal.read")
def part(number: str, piece: str) -> str:
    """Where it stands, or its history, as a piece of the open page."""
    appeal = loaded(number)
    disclosure.log_shown("appeal", [appeal.number])
    return render_template(f"appeals/{piece}.html", appeal=appeal, **_standing(appeal))


def loaded(number: str) -> "Appeal":
    """The appeal of this number, if whoever asks may see it, else 404; 403 when it is veiled."""
    appeal = seen(number)
    if appeal.veiled:
        abort(403)
    return appeal


def seen(number: str) -> "Appeal":
    """The appeal of this number as whoever asks sees it, perhaps veiled; else 404."""
    return appeals.find(number, me(), session.get(LOOKED_UP, ())) or abort(404)


def may_correct(appeal: "Appeal") -> bool:
    """Whether whoever asks may correct the form: its operator, or any supervisor."""
    return rights.of_all(me(), "appeal.correct") or appeal.operator_id == me().id


def may_write(appeal: "Appeal") -> bool:
    """Whether whoever asks may write a short message about it: its operator, any lead."""
    return rights.of_all(me(), "sms.write") or appeal.operator_id == me().id


def may_contact(appeal: "Appeal") -> bool:
    """Whether whoever asks may note which specialist was contacted."""
    return rights.scope_of(me(), "appeal.consult") == rights.DEPARTMENT or may_correct(appeal)


def _standing(appeal: "Appeal") -> dict[str, Any]:
    """Where it stands and what was done; without a handling only what its call tells."""
    now, call = handling.of_appeal(appeal), calls.call(appeal.call_id)
    calendar = catalogs.working_calendar(site())
    done = handling.steps(appeal)
    return {
        "handling": now,
        "near": appeal_labels.nearness(now, appeal_labels.today(), calendar) if now else None,
        "states": appeal_labels.STATES,
        "terms": appeal_labels.TERMS,
        "steps": done,
        "answer": _answer(done),
        "done": appeal_labels.DONE,
        "details": appeal_labels.details,
        "alert": notices.alert_of(appeal),
        "sent_on": ministry.of_appeal(appeal),
        "ministry_stands": {state: STANDS[name] for state, name in ministry.queue.STANDS.items()},
        "call": call,
        "talks": calls.talks(call) if call else [],
        "people": accounts.names(locale()),
        "who": appeal_labels.who,
        "named": lambda thing: named(thing, locale()),
    }


def _answer(done: "list[AppealStep]") -> "AppealStep | None":
    """The newest answer that stands; `done` is the newest first."""
    last = next((step for step in done if step.action in ("answer", "undo")), None)
    return last if last and last.action == "answer" else None


def _todo(appeal: "Appeal") -> dict[str, Any]:
    """What whoever asks may do now, and what is chosen for it."""
    now, today = handling.of_appeal(appeal), appeal_labels.today()
    state = now.state if now else ""
    possible = states.possible(state) if now and rights.has(me(), "appeal.answer") else ()
    longer = handling.extension(now, today) if now else None
    if not longer:
        possible = tuple(action for action in possible if action != "extend")
    own = bool(now and now.holder == me().login)
    held = state == "taken" and not own
    return {
        "todo": {a: w for a, w in appeal_labels.TODO.items() if a in possible and not held},
        "longer": longer,
        "explained_by": deadlines.due(today, "explain"),
        "begun_anew": deadlines.due(today, deadlines.first_term(appeal.appeal_type)),
        "may_take": "take" in possible and (not own or state == "returned"),
        "may_close": "close" in possible,
        "held": held and bool(possible),
        "may_correct": bool(now) and rights.has(me(), "appeal.correct") and may_correct(appeal),
        "may_contact": bool(now) and appeal.consultation and may_contact(appeal),
        "targets": [
            (department.id, named(department, locale()), department.own_body)
            for department in departments.departments()
            if now and department.id != now.department_id
        ],
    }


def _recorded(appeal: "Appeal") -> dict[str, Any]:
    """The recordings of its call, by right; without it, or without a call, none are shown."""
    call = appeals.call_open_to(me(), appeal.call_id)
    return recorded(call) if call else {"parts": None}


def _written(appeal: "Appeal", was: refusals.Refusal) -> dict[str, Any]:
    """What stands in the card's forms: what was refused, else the draft of an answer."""
    draft = answer_drafts.of(me(), appeal)
    names = ("action", "text", "department")
    kept = {name: getattr(draft, name) for name in names} if draft else {}
    refused = was.values.to_dict()
    if "text" not in refused:  # of another form on the card
        refused.pop("action", None)
    return {
        "sent": kept | refused,
        "draft_seen": draft.updated_at.isoformat() if draft else "",
        "draft_saved": _("Draft saved, %(time)s", time=formats.time(draft.updated_at))
        if draft
        else "",
    }


def _next(appeal: "Appeal") -> dict[str, Any]:
    """After an appeal that waits no more, the next overdue one of whoever decides."""
    now = handling.of_appeal(appeal)
    if me().role != "ministry" or not now or now.state in states.IN_WORK:
        return {"following": None, "undo_left": 0}
    today, within = appeal_labels.today(), accounts.department_of(me())
    found = listing.next_overdue(today, within, me().login, appeal)
    calendar = catalogs.working_calendar(site())
    near = appeal_labels.nearness(found.handling, today, calendar) if found else None
    last = handling.undoable(appeal, me().login) if now.state == "answered" else None
    left = (handling.UNDO - (clock.now() - last.at)).total_seconds() if last else 0
    return {"following": found, "following_near": near, "undo_left": max(0, round(left))}


def _rows(appeal: "Appeal") -> list[tuple[str, str, str]]:
    """(field, label, value) of every field that was asked, in the form's order."""
    asked, values = form.definition(appeal.form_version), appeals.values_of(appeal)
    return [("number", labels.FIELDS["number"], appeal.number)] + [
        (field.name, field.called(locale()), labels.field_text(field, values))
        for field in forms.fields_of(asked, values)
        if field.name != "gist"
    ]
