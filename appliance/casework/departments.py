"""The ministry's departments: who belongs to which, and which one a direction's appeals go to."""

from typing import Any

from appliance.core import audit
from appliance.core.db import writing
from appliance.core.i18n import fold, spelt
from appliance.core.statements import Question, value
from appliance.models import Department, DirectionRoute, Membership

_OF_DIRECTION = Question(
    lambda: (
        Department.select()
        .join(DirectionRoute)
        .where(DirectionRoute.direction == value("direction"), Department.active)
        .limit(1)
    )
)


class DepartmentError(ValueError):
    """Departments cannot be changed so; `code` names why for the page to say it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def departments(active: bool = True) -> list[Department]:
    """The departments in their order; those given up too when `active` is False."""
    query = Department.select().order_by(Department.position, Department.id)
    return list(query.where(Department.active) if active else query)


def chosen(text: str) -> Department | None:
    """The department in use whose id was sent as text; None for anything else."""
    return next((d for d in departments() if str(d.id) == text), None)


def coded(code: str) -> Department | None:
    """The department with this code, one out of use too; None when there is none."""
    return Department.get_or_none(Department.code == code) if code else None


def of_direction(direction: str) -> Department | None:
    """Where appeals of a direction go; None when nobody has said."""
    found: Department | None = _OF_DIRECTION.first(direction=direction)
    return found


def routes() -> dict[str, int]:
    """Direction → department."""
    return {route.direction: route.department_id for route in DirectionRoute.select()}


def memberships() -> dict[int, int]:
    """User → department, of those who belong to one."""
    return {member.user_id: member.department_id for member in Membership.select()}


def add(names: dict[str, str], own_body: bool, by: str) -> Department:
    """Add a department at the end. Raises DepartmentError: "name" when it has none or a known one.

    `names` are columns of models.Named; a language left out reads as Uzbek Latin.
    """
    names = {column: spelt(text) for column, text in names.items()}
    name = names.get("name_uz_latn", "")
    code = fold(name).replace(" ", "_")
    if not code:
        raise DepartmentError("name")
    with writing():
        if Department.get_or_none(Department.code == code):
            raise DepartmentError("name")
        department = Department.create(
            code=code,
            name_uz_latn=name,
            name_uz_cyrl=names.get("name_uz_cyrl") or name,
            name_ru=names.get("name_ru") or "",
            own_body=own_body,
            position=Department.select().count() + 1,
        )
        audit.record(by, "department.add", code)
    return department


def change(department: Department, columns: dict[str, Any], by: str) -> None:
    """Change a department's names, whether it is a body of its own, whether it is in use."""
    if not fold(columns.get("name_uz_latn", department.name_uz_latn)):
        raise DepartmentError("name")
    columns = {n: spelt(told) if isinstance(told, str) else told for n, told in columns.items()}
    with writing():
        Department.update(columns).where(Department.id == department.id).execute()
        audit.record(by, "department.change", department.code, **columns)


def send_direction(direction: str, department: int | None, by: str) -> None:
    """Let a direction's appeals go to a department from now on; None: to nobody in particular."""
    with writing():
        DirectionRoute.delete().where(DirectionRoute.direction == direction).execute()
        if department:
            DirectionRoute.create(direction=direction, department=department)
        audit.record(by, "department.route", direction, department=department)
