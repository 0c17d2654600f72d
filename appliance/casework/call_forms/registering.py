"""Registering a call on form №2: alone, or by itself with the appeal of the call."""

from collections.abc import Callable
from zoneinfo import ZoneInfo

from appliance.casework import forms, numbers
from appliance.casework.call_forms.directions import by_ledger
from appliance.casework.call_forms.queries import key_of, of_operator
from appliance.casework.forms import drafts
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.core.statements import Question, value
from appliance.models import Appeal, Call, CallForm, CallNumberSeries, Draft, User

# Kinds of call in which nothing was said that could be registered: one key each.
_WAY = Question(lambda: Call.select(by_ledger()).where(Call.id == value("call")))
SILENT = ("silent", "wrong_number", "prank")


class NoCall(Exception):
    """Form №2 belongs to a call; this form has none."""


def prefilled(call: Call) -> dict[str, str]:
    """What the ledger tells of a call, as values of form №2."""
    [(way,)] = _WAY.ask(call=call.id)
    values = {"call_direction": way, "direction": call.topic or ""}
    return {name: text for name, text in values.items() if text}


def register(
    values: dict[str, str],
    *,
    operator: User,
    token: str,
    tz: ZoneInfo,
    tell: Callable[[CallForm], object] | None = None,
) -> CallForm:
    """Register what form №2 holds, whatever it lacks, and return the numbered form.

    `token` is the form's name (drafts.token_for), which tells the call; sent twice, it registers
    once. An operator has one form №2 of a call: what is sent later corrects nothing.
    `tell` is called with a new form, in its transaction. Raises NoCall.
    """
    with writing():
        known = CallForm.get_or_none(CallForm.token == token, CallForm.operator == operator)
        if known:
            return known
        if not (call := drafts.call_of(operator, token)):
            raise NoCall(token)
        if known := of_operator(operator, call):
            return known
        made = _create(values, operator, call, token, tz)
        Draft.delete().where(Draft.operator == operator, Draft.token == token).execute()
        audit.record(operator.login, "call_form.register", made.number, call=made.call_id)
        if tell:
            tell(made)
        live.publish("calls", f"operator:{operator.login}")
    return made


def of_appeal(appeal: Appeal, values: dict[str, str], tz: ZoneInfo) -> CallForm | None:
    """The form №2 that an appeal makes of its call, in the caller's transaction.

    None without a call.
    A form that the operator registered before keeps its words and learns of the appeal.
    """
    call = Call.get_or_none(Call.id == appeal.call_id) if appeal.call_id else None
    if not call:
        return None
    if known := of_operator(appeal.operator, call):
        if not known.appeal_number:
            CallForm.update(appeal_number=appeal.number).where(CallForm.id == known.id).execute()
        return known
    values = prefilled(call) | {n: text for n, text in values.items() if text}
    if appeal.direction:
        values["direction"] = appeal.direction
    return _create(values, appeal.operator, call, appeal.token, tz, appeal.number)


def of_addition(
    appeal: Appeal, values: dict[str, str], operator: User, call: Call, token: str, tz: ZoneInfo
) -> CallForm:
    """The operator's form №2 of a call in which something was added to an appeal; it refers to it.

    In the caller's transaction. One that the operator registered before keeps its words.
    """
    if known := of_operator(operator, call):
        if not known.appeal_number:
            CallForm.update(appeal_number=appeal.number).where(CallForm.id == known.id).execute()
        return CallForm.get_by_id(known.id)
    values = prefilled(call) | {n: text for n, text in values.items() if text}
    made = _create(values, operator, call, token, tz, appeal.number)
    audit.record(operator.login, "call_form.register", made.number, call=call.id)
    return made


def _create(
    values: dict[str, str],
    operator: User,
    call: Call,
    token: str | None,
    tz: ZoneInfo,
    appeal: str = "",
) -> CallForm:
    moment = clock.now()
    today = moment.astimezone(tz).date()
    definition = forms.fitting(forms.CALL, values)
    reading = forms.read(definition, values, today)
    made: CallForm = CallForm.create(
        number=f"Q-{numbers.next_number(CallNumberSeries, today.year)}",
        call_id=call.id,
        operator=operator,
        received_at=call.arrived_at,
        registered_at=moment,
        version=definition.version,
        appeal_number=appeal,
        phone=call.citizen or "",
        search_key=key_of(definition, reading.columns),
        warnings=[str(doubt) for doubt in reading.doubts],
        token=token,
        **reading.columns,
    )
    forms.store_counted(definition, made)
    return made
