"""Registered calls: who may see them, those of a call or an operator, calls without a form."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, Expression, ModelSelect, fn

from appliance.casework import forms
from appliance.casework.appeals import personal
from appliance.core import phone_numbers
from appliance.core.clock import microseconds_since_epoch
from appliance.core.db import row_batches
from appliance.core.i18n import fold_text
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.models import Appeal, Call, CallForm, Handling, Region, Talk, User
from appliance.people import accounts, rights
from appliance.telephony import calls

# how long a call without a form stays on the operator's list
REGISTRATION_PERIOD = dt.timedelta(days=7)
# Types of calls that have no contents to register: one key press registers each.
EMPTY_CALL_TYPES = ("silent", "wrong_number", "prank")


_REGISTERED_COUNT = PreparedQuery(
    lambda: CallForm.select(fn.COUNT(CallForm.id)).where(
        CallForm.operator == query_parameter("operator"),
        CallForm.call_id.in_(
            Talk.select(Talk.call).where(
                *(Talk.who == query_parameter("login"), Talk.party == "operator"),
                Talk.started_at >= query_parameter("since"),
            )
        ),
    )
)
_FORMS_WITHOUT_APPEAL = PreparedQuery(
    lambda: (
        CallForm.select()
        .where(
            *(CallForm.phone == query_parameter("phone"), CallForm.appeal_number == ""),
            CallForm.call_id != query_parameter("besides"),
        )
        .order_by(CallForm.id.desc())
        .limit(query_parameter("limit"))
    )
)


def visible_call_forms(user: User) -> ModelSelect:
    """Return the query of registered calls a user may see at all; every page starts from it.

    An operator sees those they registered and those of the current or last caller, a user of a
    department those with an appeal that it handles, other users all or no calls, by their role.
    """
    all_forms = CallForm.select()
    scope = rights.scope_of(user, "call_form.read")
    department = accounts.department_of(user) if scope == rights.DEPARTMENT_RECORDS else None
    if department:
        appeal_numbers = Appeal.select(Appeal.number).join(Handling, on=Handling.appeal)
        appeal_numbers = appeal_numbers.where(Handling.department == department)
        return all_forms.where(CallForm.appeal_number.in_(appeal_numbers))
    if scope in (rights.ALL_RECORDS, rights.DEPARTMENT_RECORDS):
        return all_forms
    if scope != rights.OWN_RECORDS:
        return all_forms.where(CallForm.id.is_null())
    call = calls.current_call(user.login) or calls.last_call_with_talk(user.login)
    own_condition = CallForm.operator == user
    if call and call.citizen:
        own_condition |= CallForm.phone == call.citizen
    return all_forms.where(own_condition)


def find_call_form(number: str, user: User) -> CallForm | None:
    """Return the registered call of this number, if the user may see it.

    Its contents are removed if the user may not read its appeal (appeals.personal).
    """
    query = visible_call_forms(user).where(CallForm.number == number).limit(1)
    return next(iter(personal.veil_call_forms(user, query)), None)


def visible_forms_of_call(call_id: str, user: User) -> list[CallForm]:
    """Return a call's forms that a user may see, oldest first: one of each of its operators."""
    query = visible_call_forms(user).where(CallForm.call_id == call_id).order_by(CallForm.id)
    return personal.veil_call_forms(user, query)


def form_of_operator(operator: User, call: Call) -> CallForm | None:
    """Return the operator's own call form (№2) of a call, if any."""
    return find_row(CallForm, operator=operator.id, call_id=call.id)


def forms_without_appeal(
    phone: str | None, excluded_call_id: str = "", limit: int = 5
) -> list[CallForm]:
    """Return the registered calls of a phone number that have no appeal, newest first.

    `phone` is the normalised number; without one, e.g. if it is hidden, the list is empty. The call
    with the id `excluded_call_id` is left out, because pages use this for the earlier calls.
    """
    if not phone:
        return []
    return _FORMS_WITHOUT_APPEAL.fetch_objects(phone=phone, besides=excluded_call_id, limit=limit)


def count_registered_calls(operator: User, since: dt.datetime) -> int:
    """Return for how many calls, in which they talked since `since`, the operator has a call form.

    It counts the registered call forms (№2), whenever they were registered.
    """
    operator_values = {"operator": operator.id, "login": operator.login}
    [(count,)] = _REGISTERED_COUNT.fetch_tuples(
        **operator_values, since=microseconds_since_epoch(since)
    )
    return int(count)


def calls_to_register(operator: User, now: dt.datetime) -> list[Call]:
    """Return the operator's calls of REGISTRATION_PERIOD that lack their call form, newest first.

    They are the calls in which the operator talked, and the answered calls that they placed, once
    they have ended. Internal and synthetic (test) calls need no form.
    """
    talked_call_ids = (
        Talk.select(Talk.call)
        .where(
            Talk.who == operator.login,
            Talk.started_at >= now - REGISTRATION_PERIOD,
            Talk.ended_at.is_null(False),
        )
        .distinct()
    )
    outgoing_call_ids = Call.select(Call.id).where(
        Call.direction == "outbound",
        Call.by == operator.login,
        Call.outcome == "answered",
        Call.arrived_at >= now - REGISTRATION_PERIOD,
    )
    own_form = (CallForm.call_id == Call.id) & (CallForm.operator == operator)
    rows = (
        Call.select()
        .join(CallForm, JOIN.LEFT_OUTER, on=own_form)
        .where(
            Call.id.in_(talked_call_ids) | Call.id.in_(outgoing_call_ids),
            Call.direction != "internal",
            Call.ended_at.is_null(False),
            Call.arrived_at >= now - REGISTRATION_PERIOD,
            ~Call.synthetic,
            CallForm.id.is_null(),
        )
    )
    return list(rows.order_by(Call.arrived_at.desc()))


@dataclass(frozen=True)
class Filters:
    """Which registered calls to list; an empty value does not filter.

    `since` and `until` (not included) are when the call arrived. `without_appeal`: only calls
    without an appeal. `requests`: only those that the monthly report counts as requests.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    direction: str = ""  # a code on the list of directions, which are subjects
    call_type: str = ""  # a code on its list
    region: str = ""  # a SOATO code
    text: str = ""  # words to search for; see _filtered_forms()
    without_appeal: bool = False
    requests: bool = False


def is_request() -> Expression:
    """Return the SQL condition that a call form (№2) is a request without an appeal.

    The call has no appeal (form №1), which would be counted itself, and it has contents.
    """
    has_appeal = fn.EXISTS(Appeal.select(Appeal.id).where(Appeal.call_id == CallForm.call_id))
    return CallForm.call_type.not_in(EMPTY_CALL_TYPES) & ~has_appeal


def list_call_forms(user: User, filters: Filters, limit: int, offset: int = 0) -> list[CallForm]:
    """Return the registered calls that a user may see, newest first, with operator and region."""
    rows = _filtered_forms_with_details(user, filters).order_by(CallForm.id.desc())
    return personal.veil_call_forms(user, rows.limit(limit).offset(offset))


def count_call_forms(user: User, filters: Filters) -> int:
    """Return how many registered calls match the filters and are visible to the user."""
    return int(_filtered_forms(user, filters).count())


def iterate_form_batches(user: User, filters: Filters) -> Iterator[list[CallForm]]:
    """Yield the registered calls that match and the user may see, oldest first, in batches."""
    for batch in row_batches(_filtered_forms_with_details(user, filters), CallForm.id):
        yield personal.veil_call_forms(user, batch)


def form_search_key(definition: forms.Definition, columns: dict[str, Any]) -> str:
    """Return the text by which a registered call is found, from the columns of its form."""
    texts = [columns[name] for name in ("surname", "first_name", "gist", "operator_answer")]
    return fold_text(
        " ".join([*texts, *forms.added_field_search_texts(definition, columns["extra"])])
    )


def _filtered_forms_with_details(user: User, filters: Filters) -> ModelSelect:
    """Return the query of the matching visible call forms, with operator and region."""
    rows = _filtered_forms(user, filters).select_extend(User, Region)
    return rows.join_from(CallForm, User).join_from(CallForm, Region, JOIN.LEFT_OUTER)


def _filtered_forms(user: User, filters: Filters) -> ModelSelect:
    """Return the query of the matching call forms that the user may see.

    Each word of `filters.text` must be in the form's texts or, if three digits follow each other in
    it, in the form's own number or its phone number.
    """
    rows = visible_call_forms(user)
    exact_values = {"direction": filters.direction, "call_type": filters.call_type}
    for name, value in (exact_values | {"region": filters.region}).items():
        rows = rows.where(getattr(CallForm, name) == value) if value else rows
    if filters.since:
        rows = rows.where(CallForm.received_at >= filters.since)
    if filters.until:
        rows = rows.where(CallForm.received_at < filters.until)
    if filters.without_appeal:
        rows = rows.where(CallForm.appeal_number == "")
    if filters.requests:
        rows = rows.where(is_request())
    if filters.text.strip():  # a form that the user may not read must not match by its text
        unreadable_numbers = Appeal.select(Appeal.number).where(
            Appeal.id.in_(personal.unreadable_appeal_ids(user))
        )
        rows = rows.where(CallForm.appeal_number.not_in(unreadable_numbers))
    for word in filters.text.split():
        digits = phone_numbers.strip_separators(word)
        condition = fn.INSTR(CallForm.search_key, fold_text(word)) > 0 if fold_text(word) else None
        if re.search(r"\d{3}", word):
            number_condition = (fn.INSTR(CallForm.number, word) > 0) | (
                fn.INSTR(CallForm.phone, digits) > 0
            )
            condition = number_condition | condition if condition is not None else number_condition
        rows = rows.where(condition) if condition is not None else rows
    return rows


def call_form_values(form: CallForm) -> dict[str, str]:
    """Return the values of a registered call's form, by its own version, without empty fields."""
    return forms.registered_values(forms.numbered_definition(forms.CALL_FORM, form.version), form)
