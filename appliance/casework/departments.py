"""The ministry's departments, their members, and the department that receives each direction.

A direction is a subject of appeals, by its code on the list `direction`.
"""

from typing import Any

from appliance.core import audit
from appliance.core.db import write_transaction
from appliance.core.i18n import fold_text, normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import Department, DirectionRoute, Membership

_DEPARTMENT_OF_DIRECTION = PreparedQuery(
    lambda: (
        Department.select()
        .join(DirectionRoute)
        .where(DirectionRoute.direction == query_parameter("direction"), Department.active)
        .limit(1)
    )
)


def list_departments(active_only: bool = True) -> list[Department]:
    """Return the active departments in their order; if `active_only` is False, all departments."""
    query = Department.select().order_by(Department.position, Department.id)
    return list(query.where(Department.active) if active_only else query)


def active_department(text: str) -> Department | None:
    """Return the active department whose id is `text` (a form value), if any."""
    return next(
        (department for department in list_departments() if str(department.id) == text), None
    )


def department_by_code(code: str) -> Department | None:
    """Return the department with this code, active or not, if any."""
    return Department.get_or_none(Department.code == code) if code else None


def department_of_direction(direction: str) -> Department | None:
    """Return the active department that a direction's appeals are routed to, if any."""
    department: Department | None = _DEPARTMENT_OF_DIRECTION.fetch_first(direction=direction)
    return department


def department_ids_by_direction() -> dict[str, int]:
    """Return the id of the department that receives each direction's appeals, by direction.

    Directions without a route are left out.
    """
    return {route.direction: route.department_id for route in DirectionRoute.select()}


def department_ids_by_user() -> dict[int, int]:
    """Return the department id of each user who belongs to a department, by user id."""
    return {member.user_id: member.department_id for member in Membership.select()}


def add_department(names: dict[str, str], own_body: bool, actor: str) -> Department:
    """Add a department at the end of the list.

    `names` are columns of models.Named; without a Cyrillic name the Uzbek Latin one is used.
    `own_body`: it is a separate body outside the ministry. Raises Refused "name" if its name is
    empty or exists already.
    """
    names = {column: normalize_apostrophes(text) for column, text in names.items()}
    name = names.get("name_uz_latn", "")
    code = fold_text(name).replace(" ", "_")
    if not code:
        raise Refused("name")
    with write_transaction():
        if Department.get_or_none(Department.code == code):
            raise Refused("name")
        department: Department = Department.create(
            code=code,
            name_uz_latn=name,
            name_uz_cyrl=names.get("name_uz_cyrl") or name,
            name_ru=names.get("name_ru") or "",
            own_body=own_body,
            position=Department.select().count() + 1,
        )
        audit.record_entry(actor, "department.add", code)
    return department


def change_department(department: Department, columns: dict[str, Any], actor: str) -> None:
    """Change a department's columns: its names, and whether it is a separate body or active.

    `columns` holds the new values by column name; other columns stay unchanged. Raises Refused
    "name" if its Uzbek Latin name would be empty.
    """
    if not fold_text(columns.get("name_uz_latn", department.name_uz_latn)):
        raise Refused("name")
    columns = {
        name: normalize_apostrophes(value) if isinstance(value, str) else value
        for name, value in columns.items()
    }
    with write_transaction():
        Department.update(columns).where(Department.id == department.id).execute()
        audit.record_entry(actor, "department.change", department.code, **columns)


def route_direction(direction: str, department_id: int | None, actor: str) -> None:
    """Route a direction's new appeals to a department.

    Without `department_id`, removes the route: new appeals then have no department.
    """
    with write_transaction():
        DirectionRoute.delete().where(DirectionRoute.direction == direction).execute()
        if department_id:
            DirectionRoute.create(direction=direction, department=department_id)
        audit.record_entry(actor, "department.route", direction, department=department_id)
