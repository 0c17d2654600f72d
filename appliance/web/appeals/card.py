"""The card (page) of a registered appeal: its form, its call, its history, the possible actions.

A veiled appeal is a personal appeal whose content is hidden from a user who may not read it.
"""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import applicants, catalogs, departments, forms
from appliance.casework.appeals import (
    answer_drafts,
    consultations,
    deadlines,
    form,
    handling,
    listing,
    personal,
    prefill,
    queries,
    states,
)
from appliance.casework.ministry import queue
from appliance.casework.scripts import runs
from appliance.core import clock
from appliance.core.i18n import localized_name
from appliance.messaging.notices import citizens, duty, manual
from appliance.people import accounts, rights
from appliance.telephony import calls
from appliance.web.appeals import portal
from appliance.web.shared import (
    appeal_access,
    appeal_labels,
    articles,
    evidence,
    followed_scripts,
    messages,
)
from appliance.web.shared import recordings as call_recordings
from appliance.web.shell import disclosure, formats, labels, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import Appeal, AppealStep

screen = Blueprint("appeals", __name__, url_prefix="/appeals")


@screen.get("/<number>")
@may("appeal.read")
def show_appeal(number: str) -> str:
    """Show one appeal; that it was shown is recorded in the audit.

    If a form on the card was refused, the card says why. For a user of the ministry, the list that
    the address selects is shown next to it.
    """
    appeal = appeal_access.visible_appeal(number)
    disclosure.log_shown("appeal", [appeal.number])
    if appeal.veiled:
        return _render_veiled(appeal)
    personal.mark_opened(appeal, me())
    if me().role != "ministry":
        return render_template("appeals/page.html", **_card_context(appeal), list_args={})
    list_context, _filter_values = portal.list_context()
    disclosure.log_listed(
        "appeal", [row_appeal.number for row_appeal, *_rest in list_context["lines"]]
    )
    context = list_context | portal.filter_choices() | {"opened": number}
    return render_template("portal/inbox.html", **(context | _card_context(appeal)))


@screen.post("/<number>/reveal")
@may("appeal.personal")
def reveal_appeal(number: str) -> BaseResponse:
    """Open a veiled personal appeal to the user for a limited time; they must give a reason.

    Aborts with 403 if their role may not open such appeals at all.
    """
    if not personal.can_reveal(me()):
        abort(403)
    appeal, card_url = appeal_access.visible_appeal(number), url_for(".show_appeal", number=number)
    try:
        personal.reveal_appeal(me(), appeal, request.form.get("reason", ""))
    except personal.ReasonRequired:
        return refusals.redirect_back(card_url, "reason")
    return redirect(card_url)


def _render_veiled(appeal: "Appeal") -> str:
    """Render the card of a veiled appeal: its state and kind, and how to open it."""
    current = handling.handling_of_appeal(appeal)
    calendar = catalogs.working_calendar(site())
    return render_template(
        "appeals/veiled.html",
        appeal=appeal,
        handling=current,
        near=appeal_labels.deadline_nearness(current, today(), calendar) if current else None,
        states=appeal_labels.STATES,
        kind=catalogs.value_label("appeal_type", appeal.appeal_type, locale()),
        direction=catalogs.value_label("direction", appeal.direction, locale()),
        named=lambda thing: localized_name(thing, locale()),
        may_reveal=personal.can_reveal(me()),
        unreasoned=refusals.latest_refusal().trouble == "reason",
        **_readers_context(appeal),
    )


def _readers_context(appeal: "Appeal") -> dict[str, Any]:
    """Return the context of appeals/readers.html: the named readers of a personal appeal.

    `readers` is None for other appeals, and for users who may not name readers. `nameable` are the
    users who can be named, as (login, name).
    """
    if appeal.openness != personal.PERSONAL or not rights.has_right(me(), "appeal.readers"):
        return {"readers": None}
    readers = personal.list_readers(appeal)
    reader_logins = {reader.login for reader in readers}
    candidates = [
        user for user in personal.possible_readers(me()) if user.login not in reader_logins
    ]
    return {
        "readers": readers,
        "nameable": [(user.login, accounts.display_name(user, locale())) for user in candidates],
        "reader_names": accounts.display_names(locale()),
    }


def _card_context(appeal: "Appeal") -> dict[str, Any]:
    """Return the context of appeals/card.html, the card of an appeal that the user may read.

    `others` are other appeals of the same applicant; `trouble` says why a form on the card was
    refused.
    """
    refusal = refusals.latest_refusal()
    return dict(
        appeal=appeal,
        name=applicants.display_name(appeal),
        rows=_field_rows(appeal),
        as_typed=labels.readable_text,
        doubts=labels.doubt_texts(appeal.warnings),
        empty=labels.empty_fields(appeal.warnings),
        values=labels.VALUES,
        kind=catalogs.value_label("appeal_type", appeal.appeal_type, locale()),
        others=queries.other_appeals_of_applicant(appeal, me()),
        followed=followed_scripts.followed_scripts(runs.runs_of_registered_form(appeal)),
        opened_articles=articles.article_openings(appeal.call_id, appeal.token),
        consultation=consultations.consultation_of_appeal(appeal),
        consultation_state=appeal_labels.consultation_badge,
        **_form_values(appeal, refusal),
        trouble=appeal_labels.TROUBLES.get(refusal.trouble, ""),
        **messages.messages_context(
            "appeal",
            appeal.number,
            citizens.messages_of_appeal(appeal),
            manual.appeal_subject(site(), appeal)
            if appeal_access.can_write_message(appeal) and site().sms
            else None,
        ),
        **_recordings_context(appeal),
        **evidence.pack_panel_context(appeal=appeal.number),
        **_status_context(appeal),
        **_actions_context(appeal),
        **_readers_context(appeal),
        **_next_appeal_context(appeal),
    )


@screen.get("/<number>/<any(standing, history):piece>")
@may("appeal.read")
def show_appeal_piece(number: str, piece: str) -> str:
    """Show the state of the appeal ("standing"), or its history, as a fragment of the open page."""
    appeal = appeal_access.readable_appeal(number)
    disclosure.log_shown("appeal", [appeal.number])
    return render_template(f"appeals/{piece}.html", appeal=appeal, **_status_context(appeal))


def _status_context(appeal: "Appeal") -> dict[str, Any]:
    """Return the context of the appeal's state, its history (steps) and its call.

    `handling` is the ministry's work on the appeal. `near` says how near its deadline is, `answer`
    is the step with the answer in force, `sent_on` the latest message about the appeal to the
    ministry's own system, `alert` the one to the employee on duty; each of these may be None.
    """
    current, call = handling.handling_of_appeal(appeal), calls.find_call(appeal.call_id)
    calendar = catalogs.working_calendar(site())
    steps = handling.list_steps(appeal)
    return {
        "handling": current,
        "near": appeal_labels.deadline_nearness(current, today(), calendar) if current else None,
        "states": appeal_labels.STATES,
        "terms": appeal_labels.TERM_LABELS,
        "steps": steps,
        "answer": _valid_answer(steps),
        "done": appeal_labels.STEP_LABELS,
        "details": appeal_labels.step_details,
        "alert": duty.find_alert(appeal),
        "sent_on": queue.latest_message(appeal),
        "ministry_stands": {
            state: appeal_labels.EXCHANGE_STATES[name]
            for state, name in queue.EXCHANGE_STATES.items()
        },
        "call": call,
        "talks": calls.talks_of_call(call) if call else [],
        "people": accounts.display_names(locale()),
        "who": appeal_labels.actor_name,
        "named": lambda thing: localized_name(thing, locale()),
    }


def _valid_answer(steps: "list[AppealStep]") -> "AppealStep | None":
    """Return the newest answer among the steps, or None if it was undone or there is no answer.

    `steps` is ordered newest first.
    """
    latest = next((step for step in steps if step.action in ("answer", "undo")), None)
    return latest if latest and latest.action == "answer" else None


def _actions_context(appeal: "Appeal") -> dict[str, Any]:
    """Return the context of the actions that the user may perform now, with their options.

    `todo` are the actions for which the user enters a text, a part of ACTION_LABELS. It is empty
    while a colleague is working on the appeal; `held` says that the user must first take it over.
    `extended_deadline` is the deadline after an extension, if one is possible; `reopened_deadline`
    the one after reopening, by which the citizen gets an explanation; `forwarded_deadline` the one
    after forwarding to a separate body outside the ministry. `targets` are the departments to which
    the appeal can be forwarded, as (id, name, whether it is such a body).
    """
    current, day = handling.handling_of_appeal(appeal), today()
    state = current.state if current else ""
    possible = (
        states.WORKFLOW.possible_actions(state)
        if current and rights.has_right(me(), "appeal.answer")
        else ()
    )
    extension = handling.extended_due_date(current, day) if current else None
    if not extension:
        possible = tuple(action for action in possible if action != "extend")
    is_holder = bool(current and current.holder == me().login)
    has_other_holder = state == "taken" and not is_holder
    return {
        "todo": {
            a: w
            for a, w in appeal_labels.ACTION_LABELS.items()
            if a in possible and not has_other_holder
        },
        "extended_deadline": extension,
        "reopened_deadline": deadlines.term_end(day, "explain"),
        "forwarded_deadline": deadlines.term_end(day, deadlines.initial_term(appeal.appeal_type)),
        "may_take": "take" in possible and (not is_holder or state == "returned"),
        "may_close": "close" in possible,
        "held": has_other_holder and bool(possible),
        "may_correct": bool(current)
        and rights.has_right(me(), "appeal.correct")
        and appeal_access.can_correct(appeal),
        "may_contact": bool(current)
        and appeal.consultation
        and appeal_access.can_record_contact(appeal),
        "targets": [
            (department.id, localized_name(department, locale()), department.own_body)
            for department in departments.list_departments()
            if current and department.id != current.department_id
        ],
    }


def _recordings_context(appeal: "Appeal") -> dict[str, Any]:
    """Return the context of the recordings of the appeal's call.

    `parts`, the recordings, is None if there is no call or the user may not see it.
    """
    call = queries.viewable_call(me(), appeal.call_id)
    return call_recordings.recordings_context(call) if call else {"parts": None}


def _form_values(appeal: "Appeal", refusal: refusals.Refusal) -> dict[str, Any]:
    """Return the values of the card's forms: those of a refused form, or else of the saved draft.

    `draft_seen` is when the draft was saved, as ISO 8601, and `draft_saved` the same as text for
    the user; both are "" without a draft.
    """
    draft = answer_drafts.find_draft(me(), appeal)
    names = ("action", "text", "department")
    draft_values = {name: getattr(draft, name) for name in names} if draft else {}
    refused_values = refusal.values.to_dict()
    if "text" not in refused_values:  # the refused form was another one on the card
        refused_values.pop("action", None)
    return {
        "sent": draft_values | refused_values,
        "draft_seen": draft.updated_at.isoformat() if draft else "",
        "draft_saved": _("Draft saved, %(time)s", time=formats.time(draft.updated_at))
        if draft
        else "",
    }


def _next_appeal_context(appeal: "Appeal") -> dict[str, Any]:
    """Return the context of what follows when a ministry user has finished with an appeal.

    `following` is the next overdue appeal of their department, if any, and `following_near` how
    long it is overdue; `undo_left` is the number of seconds in which the user can still undo their
    answer, or 0. While the appeal is still in work, and for users of other roles, they are None and
    0.
    """
    current = handling.handling_of_appeal(appeal)
    if me().role != "ministry" or not current or current.state in states.IN_WORK_STATE_CODES:
        return {"following": None, "undo_left": 0}
    day, department_id = today(), accounts.department_of(me())
    following = listing.next_overdue_appeal(day, department_id, me().login, appeal)
    calendar = catalogs.working_calendar(site())
    deadline = (
        appeal_labels.deadline_nearness(following.handling, day, calendar) if following else None
    )
    undoable_step = (
        handling.undoable_answer(appeal, me().login) if current.state == "answered" else None
    )
    seconds_left = (
        (handling.UNDO_PERIOD - (clock.now() - undoable_step.at)).total_seconds()
        if undoable_step
        else 0
    )
    return {
        "following": following,
        "following_near": deadline,
        "undo_left": max(0, round(seconds_left)),
    }


def _field_rows(appeal: "Appeal") -> list[tuple[str, str, str, bool]]:
    """Return (field, label, value, is printed) of the number and each field of the form, in order.

    The summary (`gist`) is left out, because the card shows it separately.
    """
    definition, values = form.form_definition(appeal.form_version), prefill.form_values(appeal)
    return [("number", labels.FIELDS["number"], appeal.number, True)] + [
        (
            field.name,
            field.localized_label(locale()),
            labels.field_display(field, values),
            not field.screen_only,
        )
        for field in forms.applicable_fields(definition, values)
        if field.name != "gist"
    ]
