"""Who may see which appeals, and the appeals of one caller, call or applicant."""

import datetime as dt
import functools
import re
from collections.abc import Collection
from operator import or_

from peewee import SQL, ModelSelect, fn

from appliance.casework.appeals import personal
from appliance.core import phone_numbers
from appliance.core.clock import microseconds_since_epoch
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.models import Appeal, Applicant, Call, Handling, User
from appliance.people import accounts, rights
from appliance.telephony import calls, recordings

_APPEALS_OF_CALL = PreparedQuery(
    lambda: Appeal.select().where(Appeal.call_id == query_parameter("call")).order_by(Appeal.id)
)

_REGISTERED_COUNT = PreparedQuery(
    lambda: Appeal.select(fn.COUNT(Appeal.id)).where(
        Appeal.operator == query_parameter("operator"),
        Appeal.registered_at >= query_parameter("since"),
    )
)
_APPEALS_OF_CALLER = PreparedQuery(
    lambda: (
        Appeal.select()
        .where(_phone_condition(query_parameter("phone")))
        .order_by(Appeal.registered_at.desc())
        .limit(query_parameter("limit"))
    )
)


def visible_appeals(user: User, looked_up: Collection[str] = ()) -> ModelSelect:
    """Return the query of appeals that a user may see at all; every page starts from it.

    An operator sees the appeals they registered, those of the current or last caller, and those
    whose numbers they have just `looked_up` (for a citizen's question). A user of the ministry sees
    those of their department, or all if they belong to no department. Each user also sees the
    appeals that they are named to read. The query does not remove the contents of personal appeals:
    personal.veil_appeals() does.
    """
    all_appeals = Appeal.select()
    scope = rights.scope_of(user, "appeal.read")
    named_reader = Appeal.id.in_(personal.named_appeal_ids(user))
    if scope == rights.DEPARTMENT_RECORDS:
        department_id = accounts.department_of(user)
        if not department_id:
            return all_appeals
        return appeals_of_department(department_id).orwhere(named_reader)
    if scope == rights.ALL_RECORDS:
        return all_appeals
    if scope != rights.OWN_RECORDS:
        return all_appeals.where(Appeal.id.is_null())
    call = calls.current_call(user.login) or calls.last_call_with_talk(user.login)
    own_condition = (Appeal.operator == user) | Appeal.number.in_(list(looked_up)) | named_reader
    return all_appeals.where(
        own_condition | _phone_condition(call.citizen) if call and call.citizen else own_condition
    )


def find_appeal(number: str, user: User, looked_up: Collection[str] = ()) -> Appeal | None:
    """Return the appeal of this number, if the user may see it.

    `looked_up` is as in visible_appeals(). The contents are removed if the user may not read them.
    """
    query = visible_appeals(user, looked_up).where(Appeal.number == number).limit(1)
    return next(iter(personal.veil_appeals(user, query)), None)


def is_appeal_number(text: str) -> bool:
    """Return True if a text has the form of an appeal's number: 2026-000001."""
    return re.fullmatch(r"\d{4}-\d{6,}", text, re.ASCII) is not None


def appeals_of_department(department_id: int | None) -> ModelSelect:
    """Return the query of appeals that a department handles now; without a department, of all."""
    if not department_id:
        return Appeal.select()
    appeal_ids = Handling.select(Handling.appeal).where(Handling.department == department_id)
    return Appeal.select().where(Appeal.id.in_(appeal_ids))


def appeals_returned_to(operator: User) -> list[Appeal]:
    """Return the operator's appeals returned by the ministry for rework, most urgent first."""
    return list(
        Appeal.select(Appeal, Handling)
        .join(Handling, on=Handling.appeal, attr="handling")
        .where(Appeal.operator == operator, Handling.is_open == 1, Handling.state == "returned")
        .order_by(Handling.due_on, Handling.appeal)
    )


def other_appeals_of_applicant(appeal: Appeal, user: User, limit: int = 5) -> list[Appeal]:
    """Return other appeals of an appeal's applicant that the user may read, newest first.

    They show whether the appeal repeats an earlier one.
    """
    query = visible_appeals(user).where(
        Appeal.applicant == appeal.applicant_id, Appeal.id != appeal.id
    )
    query = query.where(personal.readable_condition(user))
    return list(query.order_by(Appeal.id.desc()).limit(limit))


def appeals_of_caller(phone: str | None, limit: int = 10) -> list[Appeal]:
    """Return the appeals with a phone number, or of an applicant with that number, newest first.

    Contents that the user may not read are not removed: personal.veil_appeals() does that. Without
    a number (None or ""), the list is empty.
    """
    if not phone:
        return []
    return _APPEALS_OF_CALLER.fetch_objects(phone=phone, limit=limit)


def appeals_of_applicant(applicant: Applicant, user: User, limit: int = 10) -> list[Appeal]:
    """Return an applicant's appeals that the user may read, newest first.

    A personal appeal that the user may not read is left out: it would reveal whose it is.
    """
    readable_appeals = applicant.appeals.where(personal.readable_condition(user))
    return list(readable_appeals.order_by(Appeal.id.desc()).limit(limit))


def similar_open_appeals(
    user: User,
    direction: str,
    caller: str | None,
    *,
    applicant: Applicant | None = None,
    phone: str | None = None,
    limit: int = 3,
) -> list[Appeal]:
    """Return open appeals of a direction that may be about the same matter, newest first.

    They are those of the calling number (`caller`), and those of the `applicant` and of the `phone`
    typed in a form. The latter are returned only if the user may read them: otherwise, typing would
    reveal whose a personal appeal is. Each has its `handling`. Without a `direction`, the list is
    empty.
    """
    typed_conditions = [_phone_condition(phone)] if phone else []
    if applicant:
        typed_conditions.append(Appeal.applicant == applicant)
    conditions = (
        [functools.reduce(or_, typed_conditions) & personal.readable_condition(user)]
        if typed_conditions
        else []
    )
    if caller:
        conditions.append(_phone_condition(caller))
    if not direction or not conditions:
        return []
    query = Appeal.select(Appeal, Handling).join(Handling, on=Handling.appeal, attr="handling")
    filters = (
        Handling.is_open == 1,
        Appeal.direction == direction,
        functools.reduce(or_, conditions),
    )
    return list(query.where(*filters).order_by(Appeal.id.desc()).limit(limit))


def appeal_by_keys(keys: str, today: dt.date) -> Appeal | None:
    """Return the appeal, if any, whose number a caller keyed in, with its year (2026000123) or not.

    Without a year, it is this year's number, or last year's if this year has no such number yet.
    """
    if not re.fullmatch(r"\d{1,10}", keys, re.ASCII):
        return None
    if len(keys) == 10:
        return _find_by_number(int(keys[:4]), int(keys[4:]))
    return _find_by_number(today.year, int(keys)) or _find_by_number(today.year - 1, int(keys))


def look_up_appeals(typed: str, today: dt.date, user: User, limit: int = 20) -> list[Appeal]:
    """Return the appeals with the number or the phone that a citizen states, newest first.

    An appeal's number is typed as 2026-000123, or as 123 for this year or the last one. A part of a
    number or phone finds nothing, because this is not for browsing: the user must know whose appeal
    it is. A personal appeal that the user may not read is found by its number only, without its
    contents.
    """
    keys = phone_numbers.strip_separators(typed)
    if by_number := appeal_by_keys(keys, today):
        return personal.veil_appeals(user, [by_number])
    phone = phone_numbers.canonical_number(typed)
    if not phone or re.fullmatch(r"\d{1,6}", keys):
        return []
    query = Appeal.select().where(_phone_condition(phone), personal.readable_condition(user))
    return list(query.order_by(Appeal.registered_at.desc()).limit(limit))


def appeals_registered_since(operator: User, since: dt.datetime, limit: int = 200) -> list[Appeal]:
    """Return the appeals that the operator registered since `since`, newest first.

    Each has its `handling`.
    """
    query = Appeal.select(Appeal, Handling).join(Handling, on=Handling.appeal, attr="handling")
    conditions = (Appeal.operator == operator, Appeal.registered_at >= since)
    return list(query.where(*conditions).order_by(Appeal.id.desc()).limit(limit))


def appeals_of_call(call_id: str) -> list[Appeal]:
    """Return the appeals linked to a call, oldest first."""
    return _APPEALS_OF_CALL.fetch_objects(call=call_id)


def visible_appeals_of_call(call_id: str, user: User) -> list[Appeal]:
    """Return the appeals of a call that the user may see, oldest first."""
    query = visible_appeals(user).where(Appeal.call_id == call_id).order_by(Appeal.id)
    return personal.veil_appeals(user, query)


def viewable_call_ids(user: User, ids: list[str]) -> set[str]:
    """Return those of the calls `ids` whose pages a user may open.

    An operator may open calls in which they talked, a lead all calls, and a user of the ministry
    calls with an appeal that they may see. For a user without the right to listen to recordings,
    the result is empty.
    """
    if not recordings.can_listen(user):
        return set()
    scope = rights.scope_of(user, "recording.listen")
    if scope == rights.OWN_WITH_GRANT:
        return calls.calls_with_talk(user.login, ids)
    if scope == rights.WITH_REASON:
        return set(ids)
    return {appeal.call_id for appeal in visible_appeals(user).where(Appeal.call_id.in_(ids))}


def viewable_call(user: User, call_id: str | None) -> Call | None:
    """Return the call with this id, if the user may open its page."""
    return calls.find_call(call_id) if call_id and viewable_call_ids(user, [call_id]) else None


def count_registered_since(operator: User, since: dt.datetime) -> int:
    """Return how many appeals the operator has registered since `since`."""
    [(count,)] = _REGISTERED_COUNT.fetch_tuples(
        operator=operator.id, since=microseconds_since_epoch(since)
    )
    return int(count)


def _phone_condition(phone: str | SQL):  # type: ignore[no-untyped-def]  # peewee's expression has no type
    """Return the condition that an appeal, or its applicant, has this phone number."""
    applicant_ids = Applicant.select(Applicant.id).where(Applicant.phone == phone)
    return (Appeal.phone == phone) | (Appeal.applicant.in_(applicant_ids))


def _find_by_number(year: int, number: int) -> Appeal | None:
    """Return the appeal with this number of the year, if any."""
    return find_row(Appeal, number=f"{year}-{number:06d}")
