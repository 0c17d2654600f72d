"""Registering a call on the call form (№2): by itself, or with the appeal of the call."""

from zoneinfo import ZoneInfo

from appliance.casework import forms, hooks, numbers
from appliance.casework.call_forms.directions import direction_from_ledger
from appliance.casework.call_forms.queries import form_of_operator, form_search_key
from appliance.casework.forms import drafts
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.models import Appeal, Call, CallForm, CallNumberSeries, Draft, User

_LEDGER_DIRECTION = PreparedQuery(
    lambda: Call.select(direction_from_ledger()).where(Call.id == query_parameter("call"))
)


class NoCall(Exception):
    """A call form (№2) cannot be registered, because it does not belong to a call."""


def prefilled_values(call: Call) -> dict[str, str]:
    """Return the values of the call form (№2) that are known from the call: its two directions.

    `call_direction` is incoming, outgoing etc.; `direction` is the topic that the caller chose.
    """
    [(direction,)] = _LEDGER_DIRECTION.fetch_tuples(call=call.id)
    values = {"call_direction": direction, "direction": call.topic or ""}
    return {name: text for name, text in values.items() if text}


def register(
    values: dict[str, str],
    *,
    operator: User,
    token: str,
    tz: ZoneInfo,
) -> CallForm:
    """Register the values of a call form (№2), even if incomplete, and return the numbered form.

    `token` identifies the form (drafts.token_for) and its call; a form that is sent twice is
    registered once. An operator has one call form of a call: if it is registered already, it is
    returned unchanged. The messages about a new form are queued in its transaction. Raises NoCall
    if the form has no call.
    """
    with write_transaction():
        if registered := find_row(CallForm, token=token, operator=operator.id):
            return registered
        if not (call := drafts.call_of_token(operator, token)):
            raise NoCall(token)
        if registered := form_of_operator(operator, call):
            return registered
        call_form = _create_call_form(values, operator, call, token, tz)
        Draft.delete().where(Draft.operator == operator, Draft.token == token).execute()
        audit.record_entry(
            operator.login, "call_form.register", call_form.number, call=call_form.call_id
        )
        hooks.call_registered.run(call_form)
        live.publish_topics("calls", f"operator:{operator.login}")
    return call_form


def register_with_appeal(appeal: Appeal, values: dict[str, str], tz: ZoneInfo) -> CallForm | None:
    """Register the call form (№2) of a new appeal's call with the appeal's values, and return it.

    Returns None if the appeal has no call. If the operator has registered the form before, it keeps
    its values and is linked to the appeal, unless it is linked to an earlier one. Call it in the
    transaction of the appeal.
    """
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    if not call:
        return None
    if registered := form_of_operator(appeal.operator, call):
        if not registered.appeal_number:
            CallForm.update(appeal_number=appeal.number).where(
                CallForm.id == registered.id
            ).execute()
        return registered
    values = prefilled_values(call) | {name: text for name, text in values.items() if text}
    if appeal.direction:
        values["direction"] = appeal.direction
    return _create_call_form(values, appeal.operator, call, appeal.token, tz, appeal.number)


def register_with_addition(
    appeal: Appeal, values: dict[str, str], operator: User, call: Call, token: str, tz: ZoneInfo
) -> CallForm:
    """Register the operator's form of a call in which the citizen added to an appeal; returns it.

    The call form (№2) is linked to the appeal, which was registered earlier. If the operator has
    registered the form before, it keeps its values, and its appeal if it has one. Call it in the
    transaction of the addition.
    """
    if registered := form_of_operator(operator, call):
        if not registered.appeal_number:
            CallForm.update(appeal_number=appeal.number).where(
                CallForm.id == registered.id
            ).execute()
        linked: CallForm = CallForm.get_by_id(registered.id)
        return linked
    values = prefilled_values(call) | {name: text for name, text in values.items() if text}
    call_form = _create_call_form(values, operator, call, token, tz, appeal.number)
    audit.record_entry(operator.login, "call_form.register", call_form.number, call=call.id)
    return call_form


def _create_call_form(
    values: dict[str, str],
    operator: User,
    call: Call,
    token: str | None,
    tz: ZoneInfo,
    appeal_number: str = "",
) -> CallForm:
    """Register and return a call form, without checking whether the operator has one of the call.

    `token` is that of the form that was sent. `appeal_number` is that of the appeal to which the
    call form is linked; "" if it is not linked.
    """
    registered_at = clock.now()
    today = registered_at.astimezone(tz).date()
    definition = forms.definition_for_values(forms.CALL_FORM, values)
    reading = forms.read_values(definition, values, today)
    call_form: CallForm = CallForm.create(
        number=f"Q-{numbers.next_number(CallNumberSeries, today.year)}",
        call_id=call.id,
        operator=operator,
        received_at=call.arrived_at,
        registered_at=registered_at,
        version=definition.version,
        appeal_number=appeal_number,
        phone=call.citizen or "",
        search_key=form_search_key(definition, reading.columns),
        warnings=[str(doubt) for doubt in reading.doubts],
        token=token,
        **reading.columns,
    )
    forms.store_counted_values(definition, call_form)
    return call_form
