"""Personal appeals ("Shaxsiy murojaat"): who reads what they say, and what all others see of them.

Its operator reads one, and of the ministry the department it is with. Everybody else who may see
appeals sees that it is there: number, kind, direction, region, where it stands. A lead opens one
for a while by a reason, which is audited and told to the manager. Rows are veiled where they are
loaded; who reads what is in people/rights.py.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from peewee import Expression

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.models import Appeal, AppealReveal, CallForm, User
from appliance.people import rights

PERSONAL = "personal"  # Appeal.openness
OPEN = dt.timedelta(hours=1)  # how long a reason given once holds for one appeal
_SHORTEST = 3  # letters of a reason
# What tells who asks, and what; and what stands in its place. A form of a call has some of them.
_VEILED: dict[str, Any] = {
    **dict.fromkeys(("first_name", "surname", "entity_name", "stir", "address"), ""),
    **dict.fromkeys(("passport", "pinfl", "sex", "born_text", "phone", "phone_at_hand"), ""),
    **dict.fromkeys(("gist", "operator_answer", "consultation_issue", "consultation_contact"), ""),
    **dict.fromkeys(("region_text", "district_text", "search_key"), ""),
    **dict.fromkeys(("born_on", "district", "mahalla"), None),
}


class NoReason(ValueError):
    """Nobody opens a personal appeal without saying why."""


def readable(user: User) -> Expression:
    """The condition on Appeal that a user reads what it says, if he may see it at all."""
    is_open = Appeal.openness != PERSONAL
    match rights.scope_of(user, "appeal.personal"):
        case rights.OWN:
            return is_open | (Appeal.operator == user)
        case rights.DEPARTMENT:
            return Appeal.id.is_null(False)
        case rights.REASON:
            return is_open | Appeal.id.in_(_opened_by(user))
    return is_open


def closed_to(user: User) -> Expression:
    """The ids of appeals that a user does not read, to be left out where words are looked for."""
    return Appeal.select(Appeal.id).where(Appeal.openness == PERSONAL, ~readable(user))


def veil(user: User, appeals: Iterable[Appeal]) -> list[Appeal]:
    """The appeals as a user sees them: those he does not read without what they say."""
    found = list(appeals)
    ids = [appeal.id for appeal in found if appeal.openness == PERSONAL]
    closed = _ids(closed_to(user).where(Appeal.id.in_(ids))) if ids else set()
    for appeal in found:
        if appeal.id in closed:
            _veil(appeal)
    return found


def veil_forms(user: User, forms: Iterable[CallForm]) -> list[CallForm]:
    """The same of registered calls that became personal appeals."""
    found = list(forms)
    closed = unread(user, {form.appeal_number for form in found if form.appeal_number})
    for form in found:
        if form.appeal_number in closed:
            _veil(form)
    return found


def unread(user: User, numbers: Collection[str]) -> set[str]:
    """Those of some numbers whose appeals a user does not read."""
    if not numbers:
        return set()
    rows = Appeal.select(Appeal.number).where(
        Appeal.number.in_(list(numbers)), Appeal.openness == PERSONAL, ~readable(user)
    )
    return {number for (number,) in rows.tuples()}


def may_reveal(user: User) -> bool:
    """Whether somebody may open what he does not read, by a reason."""
    return rights.scope_of(user, "appeal.personal") == rights.REASON


def reveal(user: User, appeal: Appeal, reason: str) -> None:
    """Let somebody read an appeal for OPEN. Raises NoReason; PermissionError by role."""
    if not may_reveal(user):
        raise PermissionError(user.login)
    reason = " ".join(reason.split())[:500]
    if len(reason) < _SHORTEST:
        raise NoReason(appeal.number)
    with writing():
        AppealReveal.create(login=user.login, appeal=appeal.id, at=clock.now(), reason=reason)
        audit.record(user.login, "appeal.reveal", appeal.number, reason=reason)


def reveals(since: dt.datetime, limit: int = 50) -> list[AppealReveal]:
    """Who opened which for what reason since a moment, newest first, with the appeal."""
    rows = AppealReveal.select(AppealReveal, Appeal).join(Appeal).where(AppealReveal.at >= since)
    return list(rows.order_by(AppealReveal.id.desc()).limit(limit))


def reveals_since(since: dt.datetime) -> int:
    """How many they are."""
    return int(AppealReveal.select().where(AppealReveal.at >= since).count())


def _opened_by(user: User) -> Any:
    now = clock.now()
    return AppealReveal.select(AppealReveal.appeal).where(
        AppealReveal.login == user.login, AppealReveal.at > now - OPEN
    )


def _ids(rows: Any) -> set[int]:
    return {id for (id,) in rows.tuples()}


def _veil(row: Any) -> None:
    empty = _VEILED | {"extra": {}, "typed": {}, "warnings": []}
    for name in empty.keys() & row._meta.fields.keys():
        setattr(row, name, empty[name])
    row.veiled = True
