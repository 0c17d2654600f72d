"""Who may see which appeals, and those of one caller."""

import datetime as dt

from peewee import ModelSelect

from appliance import calls, departments
from appliance.models import Appeal, Applicant, Handling, User


def visible_to(user: User) -> ModelSelect:
    """The appeals that a user may see at all; every page starts from here.

    An operator sees the appeals he registered and those of the caller at hand; the ministry sees
    those of the department that a user belongs to, or all.
    """
    everything = Appeal.select()
    if user.role == "ministry":
        return of_department(departments.of_user(user))
    if user.role in ("supervisor", "manager"):
        return everything
    if user.role != "operator":
        return everything.where(Appeal.id.is_null())
    call = calls.of_operator(user.login) or calls.last_of_operator(user.login)
    mine = Appeal.operator == user
    return everything.where(mine | _of(call.caller) if call and call.caller else mine)


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
    """The same applicant's other appeals that a user may see, newest first: it may be a repeat."""
    others = visible_to(user).where(Appeal.applicant == appeal.applicant_id, Appeal.id != appeal.id)
    return list(others.order_by(Appeal.id.desc()).limit(limit))


def of_caller(phone: str | None, limit: int = 10) -> list[Appeal]:
    """Appeals with this phone, or of an applicant last heard from it; newest first."""
    if not phone:
        return []
    return list(
        Appeal.select().where(_of(phone)).order_by(Appeal.registered_at.desc()).limit(limit)
    )


def of_call(call_id: str) -> list[Appeal]:
    """The appeals that hang on a call, oldest first."""
    return list(Appeal.select().where(Appeal.call_id == call_id).order_by(Appeal.id))


def registered_by(operator: User, since: dt.datetime) -> int:
    """How many appeals the operator has registered since a moment."""
    return Appeal.select().where(Appeal.operator == operator, Appeal.registered_at >= since).count()


def _of(phone: str):  # type: ignore[no-untyped-def]  # peewee's expression has no type
    known = Applicant.select(Applicant.id).where(Applicant.phone == phone)
    return (Appeal.phone == phone) | (Appeal.applicant.in_(known))
