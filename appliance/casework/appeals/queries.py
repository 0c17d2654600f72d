"""Who may see which appeals, and those of one caller."""

import datetime as dt
import functools
import re
from collections.abc import Collection
from operator import or_

from peewee import SQL, ModelSelect, fn

from appliance.casework.appeals import personal
from appliance.core import phone_numbers
from appliance.core.clock import microseconds
from appliance.core.statements import Question, value
from appliance.models import Appeal, Applicant, Call, Handling, User
from appliance.people import accounts, rights
from appliance.telephony import calls, recordings

_OF_CALL = Question(
    lambda: Appeal.select().where(Appeal.call_id == value("call")).order_by(Appeal.id)
)

_REGISTERED = Question(
    lambda: Appeal.select(fn.COUNT(Appeal.id)).where(
        Appeal.operator == value("operator"), Appeal.registered_at >= value("since")
    )
)
_OF_CALLER = Question(
    lambda: (
        Appeal.select()
        .where(_of(value("phone")))
        .order_by(Appeal.registered_at.desc())
        .limit(value("limit"))
    )
)


def visible_to(user: User, looked_up: Collection[str] = ()) -> ModelSelect:
    """The appeals that a user may see at all; every page starts from here. What of a personal one
    he does not read is left out by personal.veil.

    An operator sees the appeals he registered, those of the caller at hand, and those whose
    numbers he has just `looked_up`; the ministry sees those of the department that a user belongs
    to, or all. Each sees those that he is named to read.
    """
    everything = Appeal.select()
    scope = rights.scope_of(user, "appeal.read")
    named = Appeal.id.in_(personal.named(user))
    if scope == rights.DEPARTMENT:
        department = accounts.department_of(user)
        return of_department(department).orwhere(named) if department else everything
    if scope == rights.ALL:
        return everything
    if scope != rights.OWN:
        return everything.where(Appeal.id.is_null())
    call = calls.of_operator(user.login) or calls.last_of_operator(user.login)
    own = (Appeal.operator == user) | Appeal.number.in_(list(looked_up)) | named
    return everything.where(own | _of(call.citizen) if call and call.citizen else own)


def find(number: str, user: User, looked_up: Collection[str] = ()) -> Appeal | None:
    """The appeal of this number, if it is `visible_to` the user; veiled, if he does not read it."""
    found = visible_to(user, looked_up).where(Appeal.number == number).limit(1)
    return next(iter(personal.veil(user, found)), None)


def is_number(text: str) -> bool:
    """Whether a text is written as an appeal's number is: 2026-000001."""
    return re.fullmatch(r"\d{4}-\d{6,}", text, re.ASCII) is not None


def of_department(department: int | None) -> ModelSelect:
    """The appeals that a department has now; None: all of them."""
    if not department:
        return Appeal.select()
    theirs = Handling.select(Handling.appeal).where(Handling.department == department)
    return Appeal.select().where(Appeal.id.in_(theirs))


def returned_to(operator: User) -> list[Appeal]:
    """The operator's appeals that the ministry returned for rework, the most urgent first."""
    return list(
        Appeal.select(Appeal, Handling)
        .join(Handling, on=Handling.appeal, attr="handling")
        .where(Appeal.operator == operator, Handling.is_open == 1, Handling.state == "returned")
        .order_by(Handling.due_on, Handling.appeal)
    )


def others_of(appeal: Appeal, user: User, limit: int = 5) -> list[Appeal]:
    """The same applicant's other appeals that a user reads, newest first: it may be a repeat."""
    others = visible_to(user).where(Appeal.applicant == appeal.applicant_id, Appeal.id != appeal.id)
    others = others.where(personal.readable(user))
    return list(others.order_by(Appeal.id.desc()).limit(limit))


def of_caller(phone: str | None, limit: int = 10) -> list[Appeal]:
    """Appeals with this phone, or of an applicant last heard from it; newest first."""
    if not phone:
        return []
    return _OF_CALLER.rows(phone=phone, limit=limit)


def of_applicant(applicant: Applicant, user: User, limit: int = 10) -> list[Appeal]:
    """An applicant's appeals that a user reads, newest first.

    A personal appeal that the user may not read is left out: it would reveal whose it is.
    """
    theirs = applicant.appeals.where(personal.readable(user))
    return list(theirs.order_by(Appeal.id.desc()).limit(limit))


def open_alike(
    user: User,
    direction: str,
    caller: str | None,
    *,
    applicant: Applicant | None = None,
    phone: str | None = None,
    limit: int = 3,
) -> list[Appeal]:
    """Open appeals with one direction that may be the same matter, newest first, with `handling`.

    Those of the number that calls (`caller`); of the `applicant` and the `phone` that a form names
    only those that the user reads: typing them would reveal whose a personal appeal is.
    """
    named = [_of(phone)] if phone else []
    if applicant:
        named.append(Appeal.applicant == applicant)
    whose = [functools.reduce(or_, named) & personal.readable(user)] if named else []
    if caller:
        whose.append(_of(caller))
    if not direction or not whose:
        return []
    query = Appeal.select(Appeal, Handling).join(Handling, on=Handling.appeal, attr="handling")
    same = (Handling.is_open == 1, Appeal.direction == direction, functools.reduce(or_, whose))
    return list(query.where(*same).order_by(Appeal.id.desc()).limit(limit))


def by_keys(keys: str, today: dt.date) -> Appeal | None:
    """The appeal of the keys pressed: year and number (2026000123), or the number alone.

    A number alone is one of this year; when this year has not come so far, of last year.
    """
    if not re.fullmatch(r"\d{1,10}", keys, re.ASCII):
        return None
    if len(keys) == 10:
        return _numbered(int(keys[:4]), int(keys[4:]))
    return _numbered(today.year, int(keys)) or _numbered(today.year - 1, int(keys))


def look_up(typed: str, today: dt.date, user: User, limit: int = 20) -> list[Appeal]:
    """Appeals of a number or a phone, whole as a citizen tells it; newest first.

    A number is written 2026-000123, or 123 of this year or the last one. Nothing is found by a
    part of either: a user who looks up knows who is calling. A personal appeal that the user
    does not read is found by its number alone, and veiled.
    """
    plain = phone_numbers.digits(typed)
    if by_number := by_keys(plain, today):
        return personal.veil(user, [by_number])
    phone = phone_numbers.canonical(typed)
    if not phone or re.fullmatch(r"\d{1,6}", plain):
        return []
    found = Appeal.select().where(_of(phone), personal.readable(user))
    return list(found.order_by(Appeal.registered_at.desc()).limit(limit))


def registered_since(operator: User, since: dt.datetime, limit: int = 200) -> list[Appeal]:
    """The operator's appeals since a moment with their `handling`, newest first."""
    query = Appeal.select(Appeal, Handling).join(Handling, on=Handling.appeal, attr="handling")
    own = (Appeal.operator == operator, Appeal.registered_at >= since)
    return list(query.where(*own).order_by(Appeal.id.desc()).limit(limit))


def of_call(call_id: str) -> list[Appeal]:
    """The appeals that hang on a call, oldest first."""
    return _OF_CALL.rows(call=call_id)


def visible_of_call(call_id: str, user: User) -> list[Appeal]:
    """Those of a call's appeals that a user may see, oldest first."""
    found = visible_to(user).where(Appeal.call_id == call_id).order_by(Appeal.id)
    return personal.veil(user, found)


def calls_open_to(user: User, ids: list[str]) -> set[str]:
    """Those of some calls whose cards a user may open.

    A call without an appeal of theirs is no business of the ministry's, one that an operator did
    not speak in none of his.
    """
    if not recordings.may_listen(user):
        return set()
    scope = rights.scope_of(user, "recording.listen")
    if scope == rights.OWN_GIVEN:
        return calls.spoken_in(user.login, ids)
    if scope == rights.REASON:
        return set(ids)
    return {appeal.call_id for appeal in visible_to(user).where(Appeal.call_id.in_(ids))}


def call_open_to(user: User, call_id: str | None) -> Call | None:
    """The call with this id, if the user may open its card."""
    return calls.call(call_id) if call_id and calls_open_to(user, [call_id]) else None


def registered_by(operator: User, since: dt.datetime) -> int:
    """How many appeals the operator has registered since a moment."""
    [(count,)] = _REGISTERED.ask(operator=operator.id, since=microseconds(since))
    return int(count)


def _of(phone: str | SQL):  # type: ignore[no-untyped-def]  # peewee's expression has no type
    known = Applicant.select(Applicant.id).where(Applicant.phone == phone)
    return (Appeal.phone == phone) | (Appeal.applicant.in_(known))


def _numbered(year: int, number: int) -> Appeal | None:
    return Appeal.get_or_none(Appeal.number == f"{year}-{number:06d}")
