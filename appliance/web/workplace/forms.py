"""The forms on the operator's page: their context, saving while typing, registering.

Form №1 registers an appeal, form №2 only a call. A desk is an operator's form together
with the call it belongs to; a token identifies a form before it is registered.
"""

from typing import TYPE_CHECKING

from flask import Blueprint, abort, jsonify, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import applicants, call_forms, catalogs, forms
from appliance.casework.appeals import additions, prefill, queries, registering
from appliance.casework.appeals.desk import OperatorDesk
from appliance.casework.forms import drafts
from appliance.core import phone_numbers
from appliance.web.shared.form_fields import (
    display_values,
    doubts_context,
    fields_context,
    unmasked_values,
)
from appliance.web.shell import disclosure, formats
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import browser_time, require_json_object

if TYPE_CHECKING:
    from appliance.models import Appeal, CallForm, Draft

screen = Blueprint("forms", __name__, url_prefix="/operator/forms")


@screen.post("/<token>")
@may("desk.work")
def save_form(token: str) -> Response | tuple[Response, int]:
    """Save the typed values as a draft and return the doubts (warnings) about them.

    In the JSON body, `form` is the number of the form ("1" or "2"), `aside` is true if the operator
    sets it aside, `at` is when the values were typed, in milliseconds since 1970, and `base` has
    the stored values from which the page started. With `base`, `elsewhere` in the response has the
    values that another open page of this form has changed since. `recognised` changes when the
    values describe another person. Responds with 409 and the number if the form is already
    registered, and with 413 if the operator has too many drafts.
    """
    values, body = submitted_values(token), require_json_object()
    form_number = _requested_form_number(body)
    is_set_aside, typed_at = bool(body.get("aside")), browser_time(body.get("at"))
    base = submitted_values(token, "base") if "base" in body else None
    try:
        draft = drafts.save_draft(
            me(), token, values, form=form_number, aside=is_set_aside, typed_at=typed_at, base=base
        )
    except drafts.AlreadyRegistered as error:
        return _registered_response(error.registration), 409
    except drafts.TooManyDrafts:
        return jsonify(unfinished=drafts.MAX_DRAFTS_WITHOUT_CALL), 413
    saved_at, saved = draft.updated_at.isoformat(), _saved_text(draft)
    changed_elsewhere = _changed_elsewhere(values, draft.values) if base is not None else {}
    doubtful = doubts_context(forms.definition_in_force(form_number), draft.values)
    call = drafts.call_of_token(me(), token)
    phone = call.citizen if call else None
    recognised_key = additions.match_applicant(draft.values, phone, today(), me()).fingerprint
    return jsonify(
        saved_at=saved_at,
        saved=saved,
        elsewhere=changed_elsewhere,
        recognised=recognised_key,
        **doubtful,
    )


@screen.post("/<token>/register")
@may("desk.work")
def register_appeal(token: str) -> Response:
    """Register the appeal, even if fields are empty; a repeated request returns the same appeal."""
    appeal = registering.register(
        submitted_values(token),
        operator=me(),
        token=token,
        tz=site().tz,
        calendar=catalogs.working_calendar(site()),
    )
    return _registered_response(appeal)


@screen.post("/<token>/register-call")
@may("desk.work")
def register_call(token: str) -> Response:
    """Register the call without an appeal, on form №2; return the number of the form as JSON.

    For a call without contents, `silent` in the JSON body is its type, one of
    call_forms.EMPTY_CALL_TYPES ("silent", "prank", …), which replaces the typed one; otherwise it
    is missing. Aborts with 422 if the form has no call.
    """
    values, silent = submitted_values(token), require_json_object().get("silent")
    if silent is not None:
        if silent not in call_forms.EMPTY_CALL_TYPES:
            abort(422)
        values = values | {"call_type": silent, "call_type_text": ""}
    draft = drafts.find_draft(me(), token)
    # typed in form №1 before the operator switched to form №2
    other_values = drafts.values_of_other_form(forms.CALL_FORM, draft.values) if draft else {}
    try:
        call_form = call_forms.register(
            other_values | values,
            operator=me(),
            token=token,
            tz=site().tz,
        )
    except call_forms.NoCall:
        abort(422)
    return _registered_response(call_form)


@screen.post("/<token>/discard")
@may("desk.work")
def discard_draft(token: str) -> Response:
    """Discard a draft: it is deleted, or if it belongs to a call, emptied and set aside.

    Without any draft, the form of the call would open again by itself.
    """
    drafts.discard_draft(me(), token)
    return jsonify(done=True)


def form_context(desk: OperatorDesk, form_number: str = "") -> dict[str, object]:
    """Return the context of the form of `desk`, as the operator fills it in.

    `form_number` is that of the requested form, "1" or "2"; "" if the user has not chosen one. A
    draft is continued with its values; a new form starts with default values, with data of the
    call, and with what is known about the caller (`known`). `silent` are the types of a call
    without contents, as (code, name).
    """
    form_number = selected_form(desk, form_number)
    known_values = {} if desk.draft else _known_values(desk, form_number)
    values = _initial_values(desk) | known_values
    if desk.draft:  # values that only the other, not yet opened form has start as in a new one
        seen_fields = forms.definition_in_force(desk.draft.form).value_names
        values = {n: t for n, t in values.items() if n not in seen_fields} | desk.draft.values
    disclosure.log_shown("draft", [desk.token])
    kinds = catalogs.labels_by_code("call_type", locale())
    return {
        **fields_context(forms.definition_in_force(form_number), values, is_new=not desk.draft),
        "known": known_values,
        "silent": [(code, kinds[code]) for code in call_forms.EMPTY_CALL_TYPES if code in kinds],
        "saved": _saved_text(desk.draft) if desk.draft else "",
        "saved_at": desk.draft.updated_at.isoformat() if desk.draft else "",
    }


def selected_form(desk: OperatorDesk, requested_form: str = "") -> str:
    """Return the number of the form to show, "1" or "2": the requested one, or else the draft's.

    `requested_form` is "" if the user has not chosen one. Without a draft, it is form №2 (for a
    call). If there is no call, or the call is already registered, it is always form №1 (for an
    appeal), because a call has only one form №2.
    """
    if not desk.call or desk.call_form:
        return forms.APPEAL_FORM
    if requested_form in forms.FORMS:
        return requested_form
    return desk.draft.form if desk.draft else forms.CALL_FORM


def unfinished_drafts(open_token: str = "") -> "list[Draft]":
    """Return the operator's drafts, except the one with the token `open_token`, which is open.

    That they are shown is recorded in the audit.
    """
    unfinished = [draft for draft in drafts.operator_drafts(me()) if draft.token != open_token]
    disclosure.log_shown("draft", [draft.token for draft in unfinished])
    return unfinished


def _changed_elsewhere(
    sent_values: dict[str, str], stored_values: dict[str, str]
) -> dict[str, str]:
    """Return the stored values that differ from the sent ones, by field.

    Another open page has changed them.
    """
    field_names = drafts.draft_value_names()
    sent_values, stored_values = (
        display_values(drafts.cleaned_draft_values(sent_values, field_names)),
        display_values(stored_values),
    )
    return {
        n: stored_values.get(n, "")
        for n in field_names
        if stored_values.get(n, "") != sent_values.get(n, "")
    }


def submitted_values(token: str, key: str = "values") -> dict[str, str]:
    """Return the values of a form in the JSON body, with masked numbers replaced by the real ones.

    They are the value of `key` in the body. Aborts with 422 if they are not texts by field, and
    with 404 if the form is another operator's.
    """
    if not drafts.is_operator_form(me(), token):
        abort(404)
    values = require_json_object().get(key)
    if not isinstance(values, dict) or not all(isinstance(v, str) for v in values.values()):
        abort(422)
    draft, call = drafts.find_draft(me(), token), drafts.call_of_token(me(), token)
    return unmasked_values(values, draft.values if draft else {}, call.citizen if call else None)


def _initial_values(desk: OperatorDesk) -> dict[str, str]:
    """Return the initial values of the fields of both forms.

    They are the defaults of the fields, the caller's number, and data of the call.
    """
    phone = (
        phone_numbers.grouped_number(desk.call.citizen) if desk.call and desk.call.citizen else ""
    )
    call_values = call_forms.prefilled_values(desk.call) if desk.call else {}
    fields = [field for form in forms.FORMS for field in forms.definition_in_force(form).fields]
    defaults = {field.name: field.given for field in fields if field.given}
    return defaults | {"phone": phone} | call_values


def _known_values(desk: OperatorDesk, form_number: str) -> dict[str, str]:
    """Return what is known about the caller, for form №2, if exactly one person has their number.

    Fields that are to be asked in every call (`anew`) are left out. Returns {} for form №1, for
    which the operator copies the data from the card, and if nobody or several have the number.
    """
    people = applicants.find_by_phone(desk.call.citizen if desk.call else None)
    if form_number != forms.CALL_FORM or len(people) != 1:
        return {}
    field_names = {
        n
        for f in forms.definition_in_force(form_number).fields
        if not f.anew
        for n in f.value_names
    }
    return {n: t for n, t in prefill.prefill_values(people[0], me()).items() if n in field_names}


def _requested_form_number(body: dict[str, object]) -> str:
    """Return the number of the form that the request names, "1" by default.

    Aborts with 422 if there is no such form.
    """
    form_number = body.get("form", forms.APPEAL_FORM)
    return str(form_number) if form_number in forms.FORMS else abort(422)


def _saved_text(draft: "Draft") -> str:
    """Return the text that says when a draft was saved."""
    return str(_("Draft saved, %(time)s", time=formats.time(draft.updated_at)))


def _registered_response(record: "Appeal | CallForm") -> Response:
    """Return the number and the address of a registered appeal or call form, as JSON."""
    page = (
        "appeals.show_appeal"
        if queries.is_appeal_number(record.number)
        else "call_forms.show_registered_call"
    )
    return jsonify(number=record.number, url=url_for(page, number=record.number))
