"""Personal appeals ("Shaxsiy murojaat"): who may read their contents, and what others see.

It may be read by the operator who registered it, by the department of the ministry that handles it,
and by every user named as its reader. All others who may see appeals see only that it exists:
number, kind, direction, region, state. A lead can open ("reveal") one for a limited time by giving
a reason, which is audited and reported to the manager. To veil a row is to remove the contents that
a user may not read; this is done where rows are loaded. The rights are defined in people/rights.py.
"""

import datetime as dt
from collections.abc import Collection, Iterable
from typing import Any

from peewee import Expression, ModelSelect

from appliance.casework import catalogs
from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.models import Appeal, AppealReader, AppealReveal, CallForm, User, personal_columns
from appliance.models.personal_columns import Kind
from appliance.people import rights

PERSONAL = "personal"  # value of Appeal.openness
REVEAL_PERIOD = dt.timedelta(hours=1)  # how long a reason opens one appeal
_MIN_REASON_LENGTH = 3  # characters


class ReasonRequired(ValueError):
    """A personal appeal cannot be opened, because the reason is missing or too short."""


def readable_condition(user: User) -> Expression:
    """Return the condition on Appeal that the user may read the appeal's contents.

    Everybody may read an appeal that is not personal. A user of the ministry may read all appeals
    that they may see. The condition does not check whether the user may see the appeal at all:
    combine it with a query that does.
    """
    is_not_personal = Appeal.openness != PERSONAL
    match rights.scope_of(user, "appeal.personal"):
        case rights.OWN_RECORDS:
            return (
                is_not_personal | (Appeal.operator == user) | Appeal.id.in_(named_appeal_ids(user))
            )
        case rights.DEPARTMENT_RECORDS:
            return Appeal.id.is_null(False)
        case rights.WITH_REASON:
            return (
                is_not_personal
                | Appeal.id.in_(_revealed_appeal_ids(user))
                | Appeal.id.in_(named_appeal_ids(user))
            )
    return is_not_personal


def named_appeal_ids(user: User) -> ModelSelect:
    """Return the query of ids of appeals that the user is named to read."""
    return AppealReader.select(AppealReader.appeal).where(AppealReader.login == user.login)


def list_readers(appeal: Appeal) -> list[AppealReader]:
    """Return the named readers of an appeal, in the order in which they were added."""
    return list(AppealReader.select().where(AppealReader.appeal == appeal.id).order_by("id"))


def reader_entries(login: str) -> list[AppealReader]:
    """Return the entries in which the user is named as a reader, newest first, with the appeals."""
    rows = AppealReader.select(AppealReader, Appeal).join(Appeal)
    return list(rows.where(AppealReader.login == login).order_by(AppealReader.id.desc()))


def unopened_reader_entries(login: str) -> list[AppealReader]:
    """Return the user's entries as a reader of appeals that they have not opened, newest first."""
    return [row for row in reader_entries(login) if row.opened_at is None]


def mark_opened(appeal: Appeal, user: User) -> None:
    """Record when the user, if named as a reader, first opened the appeal.

    For any other user, and for a reader who has opened it before, nothing changes.
    """
    not_yet_opened = AppealReader.opened_at.is_null(), AppealReader.login == user.login
    conditions = (AppealReader.appeal == appeal.id, *not_yet_opened)
    if AppealReader.select().where(*conditions).exists():
        with write_transaction():
            AppealReader.update(opened_at=clock.now()).where(*conditions).execute()
            live.publish_topics("appeals")


def possible_readers(actor: User) -> list[User]:
    """Return the users that `actor` may name as readers of a personal appeal.

    They are the active users who are allowed to read appeals, except `actor`.
    """
    has_role = User.role.in_(rights.allowed_roles("appeal.read"))
    rows = User.select().where(has_role, User.active, User.id != actor.id)
    return list(rows.order_by(User.name))


def add_reader(appeal: Appeal, login: str, actor: User) -> None:
    """Name a user as a reader of a personal appeal; nothing changes if they are named already.

    Raises PermissionError if `actor` may not name readers, LookupError if the user cannot be named
    or the appeal is not personal.
    """
    _require_right_to_name_readers(actor)
    if appeal.openness != PERSONAL or login not in {user.login for user in possible_readers(actor)}:
        raise LookupError(login)
    with write_transaction():
        row = {"appeal": appeal.id, "login": login, "at": clock.now(), "by": actor.login}
        if AppealReader.insert(row).on_conflict_ignore().as_rowcount().execute():
            audit.record_entry(actor.login, "appeal.readers.add", appeal.number, login=login)
            live.publish_topics("appeals")


def remove_reader(appeal: Appeal, login: str, actor: User) -> None:
    """Revoke a user's right to read a personal appeal.

    Raises PermissionError if `actor` may not name readers.
    """
    _require_right_to_name_readers(actor)
    conditions = (AppealReader.appeal == appeal.id, AppealReader.login == login)
    with write_transaction():
        if AppealReader.delete().where(*conditions).execute():
            audit.record_entry(actor.login, "appeal.readers.remove", appeal.number, login=login)


def unreadable_appeal_ids(user: User) -> Expression:
    """Return the query of ids of appeals whose contents a user may not read.

    Text searches exclude them, because a match would reveal contents.
    """
    return Appeal.select(Appeal.id).where(Appeal.openness == PERSONAL, ~readable_condition(user))


def veil_appeals(user: User, appeals: Iterable[Appeal]) -> list[Appeal]:
    """Return the appeals as a user may see them: the contents of unreadable ones are removed.

    The rows are changed in place and get `veiled` = True; the database is not changed.
    """
    rows = list(appeals)
    ids = [appeal.id for appeal in rows if appeal.openness == PERSONAL]
    hidden_ids = _id_set(unreadable_appeal_ids(user).where(Appeal.id.in_(ids))) if ids else set()
    for appeal in rows:
        if appeal.id in hidden_ids:
            _veil_row(appeal)
    return rows


def veil_call_forms(user: User, forms: Iterable[CallForm]) -> list[CallForm]:
    """Return call forms as a user may see them.

    The contents of those that belong to a personal appeal that they may not read are removed. As in
    veil_appeals(), the rows are changed in place and get `veiled` = True; nothing is stored.
    """
    rows = list(forms)
    hidden_numbers = unreadable_numbers(
        user, {form.appeal_number for form in rows if form.appeal_number}
    )
    for form in rows:
        if form.appeal_number in hidden_numbers:
            _veil_row(form)
    return rows


def unreadable_numbers(user: User, numbers: Collection[str]) -> set[str]:
    """Return those of the appeals' `numbers` whose contents the user may not read.

    A number that no appeal has is left out.
    """
    if not numbers:
        return set()
    rows = Appeal.select(Appeal.number).where(
        Appeal.number.in_(list(numbers)), Appeal.openness == PERSONAL, ~readable_condition(user)
    )
    return {number for (number,) in rows.tuples()}


def can_reveal(user: User) -> bool:
    """Return True if the user may open personal appeals of others by giving a reason."""
    return rights.scope_of(user, "appeal.personal") == rights.WITH_REASON


def reveal_appeal(user: User, appeal: Appeal, reason: str) -> None:
    """Let a user read an appeal for REVEAL_PERIOD, and record the reason.

    Raises ReasonRequired if the reason is too short, PermissionError if the user's role may not do
    it.
    """
    if not can_reveal(user):
        raise PermissionError(user.login)
    reason = " ".join(reason.split())[:500]
    if len(reason) < _MIN_REASON_LENGTH:
        raise ReasonRequired(appeal.number)
    with write_transaction():
        AppealReveal.create(login=user.login, appeal=appeal.id, at=clock.now(), reason=reason)
        audit.record_entry(user.login, "appeal.reveal", appeal.number, reason=reason)


def list_reveals(since: dt.datetime, limit: int = 50) -> list[AppealReveal]:
    """Return when personal appeals were opened by giving a reason since `since`, newest first.

    Each row has the login, the reason and the appeal. At most `limit` rows are returned.
    """
    rows = AppealReveal.select(AppealReveal, Appeal).join(Appeal).where(AppealReveal.at >= since)
    return list(rows.order_by(AppealReveal.id.desc()).limit(limit))


def count_reveals(since: dt.datetime) -> int:
    """Return how many times a personal appeal was opened by giving a reason since `since`."""
    return int(AppealReveal.select().where(AppealReveal.at >= since).count())


def _require_right_to_name_readers(actor: User) -> None:
    """Raise PermissionError if `actor` may not name readers."""
    if not rights.has_right(actor, "appeal.readers"):
        raise PermissionError(actor.login)


def _revealed_appeal_ids(user: User) -> Any:
    """Return the query of ids of appeals that the user revealed within the last REVEAL_PERIOD."""
    now = clock.now()
    return AppealReveal.select(AppealReveal.appeal).where(
        AppealReveal.login == user.login, AppealReveal.at > now - REVEAL_PERIOD
    )


def _id_set(rows: Any) -> set[int]:
    """Return the ids that a query returns, which selects nothing else."""
    return {row_id for (row_id,) in rows.tuples()}


def _veil_row(row: Any) -> None:
    """Remove the hidden contents of a loaded appeal or call form, and mark it as veiled."""
    table = type(row)
    for name, empty in personal_columns.hidden_values(table).items():
        setattr(row, name, empty)
    for name in personal_columns.column_names(table, Kind.CHOICE):
        if getattr(row, name) and not catalogs.is_code(name, getattr(row, name)):
            setattr(row, name, "")  # text typed instead of a code
    row.veiled = True
