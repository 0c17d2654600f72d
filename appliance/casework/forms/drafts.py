"""Drafts: values that an operator has typed and not yet registered.

A draft outlives page, session and browser. It holds the values of both forms, so that fields common
to both are typed once.
"""

import datetime as dt
import re
import uuid

from peewee import JOIN, ModelSelect, fn

from appliance.casework.forms.versions import (
    APPEAL_FORM,
    FORMS,
    definition_in_force,
    product_definition,
    recent_definitions,
)
from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.models import Appeal, Call, CallForm, Draft, QueueVisit, Ring, Talk, User

MAX_DRAFTS_WITHOUT_CALL = 200  # unfinished forms without a call that one operator may have
CONSULTATION_FIELDS = ("consultation", "consultation_issue", "consultation_contact")  # of form №1

_OPERATOR_DRAFTS = PreparedQuery(
    lambda: (
        Draft.select()
        .where(Draft.operator == query_parameter("operator"))
        .order_by(Draft.updated_at.desc())
    )
)
# The forms registered for a call; queried at every refresh of an operator's call bar.
_REGISTERED_FORMS = tuple(
    PreparedQuery(
        lambda table=table: table.select(table.operator, table.token).where(  # type: ignore[misc]
            table.call_id == query_parameter("call")
        )
    )
    for table in (Appeal, CallForm)
)


def _operator_call_query() -> ModelSelect:
    """Return the query of the call with an id, if it rang at the operator or they were in it.

    They were in it if they answered or placed it. The query reads only this call's rows.
    """
    ring_of_call = (QueueVisit.call == query_parameter("call"), Ring.visit == QueueVisit.id)
    rings = QueueVisit.select().join(Ring, JOIN.CROSS)  # few visits first, then their rings
    rings = rings.where(*ring_of_call, Ring.operator == query_parameter("login"))
    talks = Talk.select().where(
        Talk.call == query_parameter("call"), Talk.who == query_parameter("login")
    )
    is_placed = (Call.direction == "outbound") & (Call.by == query_parameter("login"))
    is_involved = fn.EXISTS(rings) | fn.EXISTS(talks) | is_placed
    return Call.select().where(Call.id == query_parameter("call"), is_involved).limit(1)


_OPERATOR_CALL = PreparedQuery(_operator_call_query)


class TooManyDrafts(Exception):
    """The operator cannot begin a form without a call: MAX_DRAFTS_WITHOUT_CALL are unfinished."""


class AlreadyRegistered(Exception):
    """The form that is being saved was already registered, as the appeal or call `registration`."""

    def __init__(self, registration: Appeal | CallForm) -> None:
        super().__init__(registration.number)
        self.registration = registration


def token_for(operator: User, call: Call | None) -> str:
    """Return the token of the form that the operator fills for a call; a new one without a call.

    Every page and tab that opens the form of a call gets the same token, so that the form is
    registered once even if two of them send it. After that, the call's next form has another token.
    """
    if not call:
        return uuid.uuid4().hex
    rows = (row for query in _REGISTERED_FORMS for row in query.fetch_tuples(call=call.id))
    tokens = {token for operator_id, token in rows if operator_id == operator.id}
    return f"{call.id}-{operator.id}-{len(tokens)}"


def is_token_without_call(text: str) -> bool:
    """Return True if this can be the token of a form without a call."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def is_operator_form(operator: User, token: str) -> bool:
    """Return True if this is, or can be, the token of a form of this operator and of nobody else.

    It is checked because a colleague can know the token of a call's form, which is derived from the
    call and its operator. A token that no form has yet can be the operator's if it is that of a
    form without a call, or of one of their calls.
    """
    rows = [row for table in (Draft, Appeal, CallForm) if (row := find_row(table, token=token))]
    if rows:
        return all(row.operator_id == operator.id for row in rows)
    return is_token_without_call(token) or call_of_token(operator, token) is not None


def call_of_token(operator: User, token: str) -> Call | None:
    """Return the call of the form with this token, if it is the operator's own.

    The call rang at them, or they answered or placed it. Returns None, too, for the token of a form
    without a call.
    """
    call_id, _, rest = token.partition(f"-{operator.id}-")
    if not rest:
        return None
    call: Call | None = _OPERATOR_CALL.fetch_first(call=call_id, login=operator.login)
    return call


def find_draft(operator: User, token: str) -> Draft | None:
    """Return the operator's own draft with this token, if any."""
    return find_row(Draft, operator=operator.id, token=token)


def find_call_draft(operator: User, call_id: str) -> Draft | None:
    """Return the operator's draft for a call, if any."""
    return find_row(Draft, operator=operator.id, call_id=call_id)


def operator_drafts(operator: User) -> list[Draft]:
    """Return the operator's drafts in which something was typed, newest first."""
    return [
        draft
        for draft in _OPERATOR_DRAFTS.fetch_objects(operator=operator.id)
        if not is_blank(draft.values)
    ]


def is_blank(values: dict[str, str]) -> bool:
    """Return True if nothing has been typed yet; initial values and the phone do not count.

    The product's forms begin with initial values (Field.given), and with the caller's phone.
    """
    prefilled = {
        field.name for form in FORMS for field in product_definition(form).fields if field.given
    }
    return not any(text for name, text in values.items() if name not in prefilled | {"phone"})


def draft_value_names() -> frozenset[str]:
    """Return all names that a draft's values may have.

    They are those of both forms, in the versions that pages may still show, and those of the
    consultation fields, which belong to no version.
    """
    versions = (version for form in FORMS for version in recent_definitions(form))
    return frozenset(CONSULTATION_FIELDS).union(*(version.value_names for version in versions))


def cleaned_draft_values(
    values: dict[str, str], allowed_names: frozenset[str] | None = None
) -> dict[str, str]:
    """Return the values of the fields of both forms, stripped of blanks, without empty ones.

    Values under other names are dropped. `allowed_names`: the result of draft_value_names(), if the
    caller has it already.
    """
    field_names = draft_value_names() if allowed_names is None else allowed_names
    return {name: text for name in sorted(field_names) if (text := values.get(name, "").strip())}


def save_draft(
    operator: User,
    token: str,
    values: dict[str, str],
    *,
    form: str = APPEAL_FORM,
    aside: bool = False,
    typed_at: dt.datetime | None = None,
    base: dict[str, str] | None = None,
) -> Draft:
    """Store the values of the open `form`, typed at `typed_at` (by default now), as the draft.

    `aside`: the operator has set the form aside, so that it does not open by itself. Values of
    fields that only the other form has stay unchanged. `base` holds the stored values that the page
    started from: only fields that differ from it are changed, so that two pages with the same form
    do not overwrite each other's fields; of a field that both have changed, the value typed later
    stays, whichever arrives first. Without `base`, values typed before the stored ones change
    nothing. Raises AlreadyRegistered if the form has been registered already, TooManyDrafts if it
    would be one more than MAX_DRAFTS_WITHOUT_CALL forms without a call.
    """
    call, allowed_names = call_of_token(operator, token), draft_value_names()
    typed_values = cleaned_draft_values(values, allowed_names)
    updated_at = min(typed_at or clock.now(), clock.now())
    new_row = {
        "token": token,
        "form": form,
        "values": typed_values,
        "updated_at": updated_at,
        "aside": aside,
    }
    with write_transaction():
        if registration := registration_of_token(operator, token):
            raise AlreadyRegistered(registration)
        # a call has one draft, even if its form has got another token since
        stored = find_draft(operator, token) or (
            find_call_draft(operator, call.id) if call else None
        )
        if stored and typed_at and base is None and stored.updated_at > typed_at:
            return stored
        if stored and base is not None:
            new_row["updated_at"] = max(updated_at, stored.updated_at)
            base_values = _stored_base(stored, form, cleaned_draft_values(base, allowed_names))
            is_outdated = bool(typed_at and stored.updated_at > typed_at)
            new_row["values"] = _merge_changes(
                stored.values, base_values, typed_values, is_outdated
            )
        elif stored:
            new_row["values"] = values_of_other_form(form, stored.values) | typed_values
        if stored:
            Draft.update(new_row).where(Draft.id == stored.id).execute()
        else:
            if not call and _count_drafts_without_call(operator) >= MAX_DRAFTS_WITHOUT_CALL:
                raise TooManyDrafts
            Draft.create(operator=operator, call_id=call and call.id, **new_row)
    saved: Draft = Draft.get(Draft.operator == operator, Draft.token == token)
    return saved


def _stored_base(stored: Draft, form: str, base: dict[str, str]) -> dict[str, str]:
    """Return `base`, the values a page of `form` started from, without those that were not stored.

    If the draft was last stored from the other form, the page prefilled fields that only `form` has
    (with the caller's number): `base` holds these values, but the draft does not.
    """
    if stored.form == form:
        return base
    other_names = definition_in_force(stored.form).value_names
    return {
        name: text for name, text in base.items() if name in other_names or name in stored.values
    }


def _merge_changes(
    stored: dict[str, str], base: dict[str, str], values: dict[str, str], is_outdated: bool
) -> dict[str, str]:
    """Return the stored values, overwritten by those fields of `values` that differ from `base`.

    `is_outdated`: `values` were typed before the stored ones, e.g. on a page that was left while it
    was sending; fields whose stored value was changed since then are not overwritten.
    """
    changed_names = {name for name in {*base, *values} if base.get(name) != values.get(name)}
    if is_outdated:
        changed_names = {name for name in changed_names if stored.get(name) == base.get(name)}
    unchanged = {name: text for name, text in stored.items() if name not in changed_names}
    return unchanged | {name: values[name] for name in changed_names if name in values}


def _count_drafts_without_call(operator: User) -> int:
    """Return how many drafts the operator has for forms that belong to no call."""
    without_call = Draft.select().where(Draft.operator == operator, Draft.call_id.is_null())
    return int(without_call.count())


def registration_of_token(operator: User, token: str) -> Appeal | CallForm | None:
    """Return the operator's registration with this token: an appeal, else a registered call."""
    conditions = {"token": token, "operator": operator.id}
    return find_row(Appeal, **conditions) or find_row(CallForm, **conditions)


def values_of_other_form(form: str, values: dict[str, str]) -> dict[str, str]:
    """Return those of a draft's values that `form` does not have: the other form's own.

    Consultation fields are part of the appeal form (№1), though not of its definition.
    """
    form_names = definition_in_force(form).value_names | (
        frozenset(CONSULTATION_FIELDS) if form == APPEAL_FORM else frozenset()
    )
    return {name: text for name, text in values.items() if name not in form_names}


def discard_draft(operator: User, token: str) -> None:
    """Delete a draft; that of a call is emptied and set aside instead.

    Without a draft, the form of a call would open again by itself. If the operator has no draft
    with this token, nothing changes.
    """
    with write_transaction():
        is_draft = (Draft.operator == operator) & (Draft.token == token)
        emptying = Draft.update(values={}, aside=True).where(is_draft, Draft.call_id.is_null(False))
        deletion = Draft.delete().where(is_draft, Draft.call_id.is_null())
        if emptying.execute() + deletion.execute():
            audit.record_entry(operator.login, "draft.discard", token)
