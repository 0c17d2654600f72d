"""Personal appeals ("Shaxsiy murojaat"): who reads what they say, and what all others see of them.

Its operator reads one, of the ministry the department it is with, and whoever is named for it.
Everybody else who may see appeals sees that it is there: number, kind, direction, region, where it
stands. A lead opens one
for a while by a reason, which is audited and told to the manager. Rows are veiled where they are
loaded; who reads what is in people/rights.py.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from peewee import Expression, ModelSelect

from appliance.casework import catalogs
from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Appeal, AppealReader, AppealReveal, CallForm, User, personal_columns
from appliance.models.personal_columns import Kind
from appliance.people import rights

PERSONAL = "personal"  # Appeal.openness
OPEN = dt.timedelta(hours=1)  # how long a reason given once holds for one appeal
_SHORTEST = 3  # letters of a reason


class NoReason(ValueError):
    """Nobody opens a personal appeal without saying why."""


def readable(user: User) -> Expression:
    """The condition on Appeal that a user reads what it says, if he may see it at all."""
    is_open = Appeal.openness != PERSONAL
    match rights.scope_of(user, "appeal.personal"):
        case rights.OWN:
            return is_open | (Appeal.operator == user) | Appeal.id.in_(named(user))
        case rights.DEPARTMENT:
            return Appeal.id.is_null(False)
        case rights.REASON:
            return is_open | Appeal.id.in_(_opened_by(user)) | Appeal.id.in_(named(user))
    return is_open


def named(user: User) -> ModelSelect:
    """The ids of appeals that somebody is named to read."""
    return AppealReader.select(AppealReader.appeal).where(AppealReader.login == user.login)


def readers(appeal: Appeal) -> list[AppealReader]:
    """Who is named to read an appeal, in the order in which it was done."""
    return list(AppealReader.select().where(AppealReader.appeal == appeal.id).order_by("id"))


def named_for(login: str) -> list[AppealReader]:
    """What somebody is named to read, the newest first, with the appeals."""
    rows = AppealReader.select(AppealReader, Appeal).join(Appeal)
    return list(rows.where(AppealReader.login == login).order_by(AppealReader.id.desc()))


def not_opened(login: str) -> list[AppealReader]:
    """What somebody was named to read and has not opened since, the newest first."""
    return [row for row in named_for(login) if row.opened_at is None]


def opened(appeal: Appeal, user: User) -> None:
    """He has opened what he was named to read."""
    unopened = AppealReader.opened_at.is_null(), AppealReader.login == user.login
    ours = (AppealReader.appeal == appeal.id, *unopened)
    if AppealReader.select().where(*ours).exists():
        with writing():
            AppealReader.update(opened_at=clock.now()).where(*ours).execute()
            live.publish("appeals")


def may_be_named(by: User) -> list[User]:
    """Whom somebody may name: all at work who may read appeals at all, but not himself."""
    able = User.role.in_(rights.roles("appeal.read"))
    rows = User.select().where(able, User.active, User.id != by.id)
    return list(rows.order_by(User.name))


def name_reader(appeal: Appeal, login: str, by: User) -> None:
    """Let somebody read a personal appeal until it is taken back.

    Raises PermissionError by role, LookupError for nobody whom he may name or no personal appeal.
    """
    _prove_names(by)
    if appeal.openness != PERSONAL or login not in {user.login for user in may_be_named(by)}:
        raise LookupError(login)
    with writing():
        row = {"appeal": appeal.id, "login": login, "at": clock.now(), "by": by.login}
        if AppealReader.insert(row).on_conflict_ignore().as_rowcount().execute():
            audit.record(by.login, "appeal.readers.add", appeal.number, login=login)
            live.publish("appeals")


def forget_reader(appeal: Appeal, login: str, by: User) -> None:
    """Take it back. Raises PermissionError by role."""
    _prove_names(by)
    ours = (AppealReader.appeal == appeal.id, AppealReader.login == login)
    with writing():
        if AppealReader.delete().where(*ours).execute():
            audit.record(by.login, "appeal.readers.remove", appeal.number, login=login)


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


def _prove_names(by: User) -> None:
    if not rights.has(by, "appeal.readers"):
        raise PermissionError(by.login)


def _opened_by(user: User) -> Any:
    now = clock.now()
    return AppealReveal.select(AppealReveal.appeal).where(
        AppealReveal.login == user.login, AppealReveal.at > now - OPEN
    )


def _ids(rows: Any) -> set[int]:
    return {id for (id,) in rows.tuples()}


def _veil(row: Any) -> None:
    table = type(row)
    for name, empty in personal_columns.hidden(table).items():
        setattr(row, name, empty)
    for name in personal_columns.names(table, Kind.CHOICE):
        if getattr(row, name) and not catalogs.is_code(name, getattr(row, name)):
            setattr(row, name, "")  # typed in place of a code
    row.veiled = True
