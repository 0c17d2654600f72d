"""The caller's card, shown next to a form: earlier calls, earlier appeals, and similar ones.

A desk is an operator's form together with the call it belongs to. A veiled appeal is a
personal appeal whose content is hidden from a user who may not read it.
"""

import json
from collections.abc import Iterable
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, jsonify, render_template
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.casework import applicants, call_forms, catalogs
from appliance.casework.appeals import additions, personal, prefill, queries
from appliance.casework.appeals.desk import (
    OperatorDesk,
    desk_for_registered_form,
    desk_for_unregistered_form,
)
from appliance.casework.appeals.handling import handling_of_appeal
from appliance.core.refusals import Refused
from appliance.messaging.notices import manual
from appliance.telephony import calls
from appliance.web.shared import appeal_access, appeal_labels, form_fields, message_labels
from appliance.web.shared.number_notes import notes_context
from appliance.web.shared.telephony_labels import OUTBOUND_OUTCOMES
from appliance.web.shell import disclosure, formats
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.rate_limits import limiter, user_key
from appliance.web.shell.request_data import require_json_object
from appliance.web.workplace import forms

if TYPE_CHECKING:
    from appliance.models import Appeal, Call

screen = Blueprint("caller", __name__, url_prefix="/operator/forms")

MAX_LISTED = 5  # items of each list except appeals and calls
TROUBLES: dict[str, LazyString] = {
    "words": _l("Write the summary first: it is added to the appeal."),
    "state": _l("This appeal is no longer open. Register a new one."),
}


def caller_context(desk: OperatorDesk, shown_appeal: "Appeal | None" = None) -> dict[str, Any]:
    """Return the context of operator/caller.html.

    By the caller's number, it has the people known with it (`people`; `fill` are the values that
    can be put into the form, as JSON), the earlier calls (`missed` counts the unanswered ones),
    appeals, registered calls, the messages sent to it (`told`) and its notes. By the values typed
    in the form, it has the appeals of the person that they name, and appeals that may be about the
    same matter. `shown_appeal` is left out, because the page shows it next to the card. What is
    shown is recorded in the audit.
    """
    call = desk.call
    phone = call.citizen if call else None
    known_people = applicants.find_by_phone(phone)
    earlier_calls = calls.earlier_calls(call) if call else []
    readable_appeals = personal.veil_appeals(me(), queries.appeals_of_caller(phone))
    earlier_appeals = [appeal for appeal in readable_appeals if appeal != shown_appeal]
    earlier_forms = call_forms.forms_without_appeal(
        phone, excluded_call_id=call.id if call else "", limit=MAX_LISTED
    )
    earlier_forms = personal.veil_call_forms(me(), earlier_forms)
    messages = manual.messages_to(phone, limit=MAX_LISTED)
    hidden_causes = personal.unreadable_numbers(me(), {message.cause for message in messages})
    messages = [message for message in messages if message.cause not in hidden_causes]
    disclosure.log_shown("call", [call.id] if call else [])
    disclosure.log_shown("applicant", [person.id for person in known_people])
    disclosure.log_shown("appeal", [appeal.number for appeal in earlier_appeals])
    disclosure.log_shown("call_form", [call_form.number for call_form in earlier_forms])
    disclosure.log_shown("message", [message.id for message in messages])
    people = [
        {
            "name": applicants.display_name(person),
            "person": person,
            "fill": json.dumps(
                form_fields.display_values(prefill.prefill_values(person, me())), ensure_ascii=False
            ),
        }
        for person in known_people
    ]
    return {
        "people": people,
        "earlier_calls": earlier_calls,
        "missed": _unanswered_count(earlier_calls),
        "earlier_appeals": appeal_rows(earlier_appeals),
        "earlier_forms": earlier_forms,
        "told": messages,
        "message_states": message_labels.STATES,
        "message_purposes": message_labels.PURPOSES,
        "states": appeal_labels.STATES,
        **notes_context(phone),
        **_recognition_context(desk, {appeal.number for appeal in earlier_appeals}),
    }


def after_call_context(desk: OperatorDesk) -> dict[str, Any]:
    """Return the context of operator/after_call.html, about the end of the call of a form.

    `passed` is the operator's last attempt to transfer the caller, `mark` the caller's rating. Both
    are None if there is no call, or until they are known.
    """
    disclosure.log_shown("call", [desk.call.id] if desk.call else [])
    return {
        "passed": calls.last_transfer(me().login, desk.call) if desk.call else None,
        "mark": desk.call.rating if desk.call else None,
        "outcomes": OUTBOUND_OUTCOMES,
        "number_owner": formats.number_owner,
    }


def appeal_rows(appeals: "Iterable[Appeal]") -> list[dict[str, Any]]:
    """Return a row for each appeal: the appeal, its handling and how near its deadline is.

    The handling is the ministry's work on the appeal. `handling` and `near` (see
    appeal_labels.deadline_nearness) may be None.
    """
    date, calendar, rows = today(), catalogs.working_calendar(site()), []
    for appeal in appeals:
        progress = handling_of_appeal(appeal)
        near = appeal_labels.deadline_nearness(progress, date, calendar) if progress else None
        rows.append({"appeal": appeal, "handling": progress, "near": near})
    return rows


@screen.get("/<token>/<any(person, alike):piece>")
@may("desk.work")
@limiter.limit("60 per minute", key_func=user_key)
def show_recognised(token: str, piece: str) -> str:
    """Show appeals that the values typed in the form lead to, as a fragment of the page.

    With `piece` "person", these are the appeals of the person named in the form; with "alike", open
    appeals that may be about the same matter.
    """
    desk = desk_for_unregistered_form(me(), token) or abort(404)
    phone = desk.call.citizen if desk.call else None
    caller_appeals = {appeal.number for appeal in queries.appeals_of_caller(phone)}
    context = {
        "desk": desk,
        "states": appeal_labels.STATES,
        **_recognition_context(desk, caller_appeals),
    }
    return render_template(f"operator/{piece}.html", **context)


@screen.get("/<token>/after")
@may("desk.work")
def show_after_call(token: str) -> str:
    """Show the last transfer and the rating of a registered form's call, as a page fragment."""
    desk = desk_for_registered_form(me(), token) or abort(404)
    return render_template(
        "operator/after_call.html", desk=desk, form_token=token, **after_call_context(desk)
    )


@screen.post("/<token>/add")
@may("desk.work")
def add_to_appeal(token: str) -> Response:
    """Add the form's summary to an open appeal instead of registering another appeal.

    `token` identifies the form; `appeal` in the JSON body is the appeal's number. This also
    registers the call to which the form belongs: `number` in the response is the number of the
    call's own form (form №2), or "" if there is no call. `trouble` is the text that says why the
    addition was refused, or "".
    """
    values, body = forms.submitted_values(token), require_json_object()
    # visible, but maybe veiled: operators may add to an appeal whose content they cannot read
    appeal = appeal_access.visible_appeal(str(body.get("appeal", "")))
    try:
        addition = additions.add_to_appeal(appeal, values, operator=me(), token=token, tz=site().tz)
    except Refused as error:
        return jsonify(trouble=str(TROUBLES.get(error.code, appeal_labels.TROUBLES["changed"])))
    return jsonify(number=addition.number if addition else "", trouble="")


def _recognition_context(desk: OperatorDesk, listed_numbers: set[str]) -> dict[str, Any]:
    """Return the context of the person whom the typed values describe, and of similar appeals.

    `of_person` are the person's appeals without those in `listed_numbers`, which the card lists
    already; `person` is their name, empty if there are no such appeals; `alike` are the similar
    appeals. The page fetches these lists again when `recognised`, a fingerprint of what was found,
    changes. Everything is empty if nothing was typed, or if the form is registered. The user may
    open the appeals shown from now on; that they were shown is recorded in the audit.
    """
    values: dict[str, str] = desk.draft.values if desk.draft else {}
    if not values or desk.is_registered:
        return {"recognised": "", "person": None, "of_person": [], "alike": []}
    phone = desk.call.citizen if desk.call else None
    recognition = additions.match_applicant(values, phone, today(), me())
    person_appeals = (
        queries.appeals_of_applicant(recognition.person, me()) if recognition.person else []
    )
    person_appeals = [appeal for appeal in person_appeals if appeal.number not in listed_numbers]
    numbers = [appeal.number for appeal in (*person_appeals, *recognition.similar_appeals)]
    if numbers:
        appeal_access.remember_looked_up(numbers)
    disclosure.log_shown(
        "applicant", [recognition.person.id] if person_appeals and recognition.person else []
    )
    disclosure.log_shown("appeal", numbers)
    return {
        "recognised": recognition.fingerprint,
        "person": applicants.display_name(recognition.person) if person_appeals else "",
        "of_person": appeal_rows(person_appeals),
        "alike": appeal_rows(personal.veil_appeals(me(), recognition.similar_appeals)),
    }


def _unanswered_count(earlier_calls: "list[Call]") -> int:
    """Return the number of the caller's unanswered calls since the last answered one.

    `earlier_calls` is ordered newest first; ongoing calls are ignored. Only outcomes after which
    the caller is to be called back count, so that a refused call, for example, does not.
    """
    ended = (call for call in earlier_calls if call.ended_at)
    unanswered = takewhile(lambda call: call.outcome != "answered", ended)
    return sum(call.outcome in calls.FOLLOW_UP_CODES for call in unanswered)
