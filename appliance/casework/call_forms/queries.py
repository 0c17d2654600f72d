"""Registered calls: who may see them, those of a call or an operator, and the calls without one."""

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from peewee import JOIN, ModelSelect, fn

from appliance.casework import forms
from appliance.casework.appeals import personal
from appliance.core import phone_numbers
from appliance.core.clock import microseconds
from appliance.core.db import in_pieces
from appliance.core.i18n import fold
from appliance.core.statements import Question, row_with, value
from appliance.models import Appeal, Call, CallForm, Handling, Region, Talk, User
from appliance.people import accounts, rights
from appliance.telephony import calls

OPEN_FOR = dt.timedelta(days=7)  # a call without a form stays on the operator's list so long


_REGISTERED = Question(
    lambda: CallForm.select(fn.COUNT(CallForm.id)).where(
        CallForm.operator == value("operator"),
        CallForm.call_id.in_(
            Talk.select(Talk.call).where(
                *(Talk.who == value("login"), Talk.party == "operator"),
                Talk.started_at >= value("since"),
            )
        ),
    )
)
_ALONE = Question(
    lambda: (
        CallForm.select()
        .where(
            *(CallForm.phone == value("phone"), CallForm.appeal_number == ""),
            CallForm.call_id != value("besides"),
        )
        .order_by(CallForm.id.desc())
        .limit(value("limit"))
    )
)


def visible_to(user: User) -> ModelSelect:
    """The registered calls that a user may see at all; every page starts from here.

    The ministry sees all of them; who belongs to a department, those of its appeals.
    """
    everything = CallForm.select()
    scope = rights.scope_of(user, "call_form.read")
    department = accounts.department_of(user) if scope == rights.DEPARTMENT else None
    if department:
        theirs = Appeal.select(Appeal.number).join(Handling, on=Handling.appeal)
        theirs = theirs.where(Handling.department == department)
        return everything.where(CallForm.appeal_number.in_(theirs))
    if scope in (rights.ALL, rights.DEPARTMENT):
        return everything
    if scope != rights.OWN:
        return everything.where(CallForm.id.is_null())
    call = calls.of_operator(user.login) or calls.last_of_operator(user.login)
    own = CallForm.operator == user
    if call and call.citizen:
        own |= CallForm.phone == call.citizen
    return everything.where(own)


def find(number: str, user: User) -> CallForm | None:
    """The registered call of this number, if `visible_to` the user; veiled like its appeal."""
    found = visible_to(user).where(CallForm.number == number).limit(1)
    return next(iter(personal.veil_forms(user, found)), None)


def visible_of_call(call_id: str, user: User) -> list[CallForm]:
    """The forms №2 of a call that a user may see, oldest first: one of each operator who spoke."""
    found = visible_to(user).where(CallForm.call_id == call_id).order_by(CallForm.id)
    return personal.veil_forms(user, found)


def of_operator(operator: User, call: Call) -> CallForm | None:
    """The operator's own form №2 of a call."""
    return row_with(CallForm, operator=operator.id, call_id=call.id)


def of_number(phone: str | None, besides: str = "", limit: int = 5) -> list[CallForm]:
    """Registered calls with a number that became no appeal, newest first; `besides` is a call."""
    if not phone:
        return []
    return _ALONE.rows(phone=phone, besides=besides, limit=limit)


def registered_of(operator: User, since: dt.datetime) -> int:
    """How many of the calls in which the operator spoke since then have his form №2."""
    own = {"operator": operator.id, "login": operator.login}
    [(count,)] = _REGISTERED.ask(**own, since=microseconds(since))
    return int(count)


def to_register(operator: User, now: dt.datetime) -> list[Call]:
    """The operator's answered calls of the last week that have no form №2 of his, newest first."""
    spoken = (
        Talk.select(Talk.call)
        .where(
            Talk.who == operator.login,
            Talk.started_at >= now - OPEN_FOR,
            Talk.ended_at.is_null(False),
        )
        .distinct()
    )
    placed = Call.select(Call.id).where(
        Call.direction == "outbound",
        Call.by == operator.login,
        Call.outcome == "answered",
        Call.arrived_at >= now - OPEN_FOR,
    )
    own = (CallForm.call_id == Call.id) & (CallForm.operator == operator)
    rows = (
        Call.select()
        .join(CallForm, JOIN.LEFT_OUTER, on=own)
        .where(
            Call.id.in_(spoken) | Call.id.in_(placed),
            Call.direction != "internal",
            Call.ended_at.is_null(False),
            Call.arrived_at >= now - OPEN_FOR,
            ~Call.synthetic,
            CallForm.id.is_null(),
        )
    )
    return list(rows.order_by(Call.arrived_at.desc()))


@dataclass(frozen=True)
class Filters:
    """Which registered calls; what is empty does not narrow. Moments are of arrival.

    `alone`: only those that became no appeal.
    """

    since: dt.datetime | None = None
    until: dt.datetime | None = None
    direction: str = ""
    call_type: str = ""
    region: str = ""
    text: str = ""
    alone: bool = False


def listed(user: User, filters: Filters, limit: int, offset: int = 0) -> list[CallForm]:
    """The registered calls that a user may see, newest first, with operator and region."""
    rows = _whole(user, filters).order_by(CallForm.id.desc())
    return personal.veil_forms(user, rows.limit(limit).offset(offset))


def counted(user: User, filters: Filters) -> int:
    """How many they are."""
    return int(_narrowed(user, filters).count())


def pieces(user: User, filters: Filters) -> Iterator[list[CallForm]]:
    """The same oldest first, some at a time."""
    for piece in in_pieces(_whole(user, filters), CallForm.id):
        yield personal.veil_forms(user, piece)


def key_of(asked: forms.Definition, columns: dict[str, Any]) -> str:
    """What a registered call is found by, of its columns."""
    own = [columns[name] for name in ("surname", "first_name", "gist", "operator_answer")]
    return fold(" ".join([*own, *forms.words(asked, columns["extra"])]))


def _whole(user: User, filters: Filters) -> ModelSelect:
    rows = _narrowed(user, filters).select_extend(User, Region)
    return rows.join_from(CallForm, User).join_from(CallForm, Region, JOIN.LEFT_OUTER)


def _narrowed(user: User, filters: Filters) -> ModelSelect:
    rows = visible_to(user)
    same = {"direction": filters.direction, "call_type": filters.call_type}
    for name, wanted in (same | {"region": filters.region}).items():
        rows = rows.where(getattr(CallForm, name) == wanted) if wanted else rows
    if filters.since:
        rows = rows.where(CallForm.received_at >= filters.since)
    if filters.until:
        rows = rows.where(CallForm.received_at < filters.until)
    if filters.alone:
        rows = rows.where(CallForm.appeal_number == "")
    if filters.text.strip():  # what is veiled does not answer to words
        closed = Appeal.select(Appeal.number).where(Appeal.id.in_(personal.closed_to(user)))
        rows = rows.where(CallForm.appeal_number.not_in(closed))
    for word in filters.text.split():
        digits = phone_numbers.digits(word)
        found = fn.INSTR(CallForm.search_key, fold(word)) > 0 if fold(word) else None
        if re.search(r"\d{3}", word):
            number = (fn.INSTR(CallForm.number, word) > 0) | (fn.INSTR(CallForm.phone, digits) > 0)
            found = number | found if found is not None else number
        rows = rows.where(found) if found is not None else rows
    return rows


def values_of(form: CallForm) -> dict[str, str]:
    """A registered call as the values of its form; empty fields are left out."""
    return forms.values_of(forms.of(forms.CALL, form.version), form)
