"""Employees of the ministry to whom operators transfer callers."""

import datetime as dt
import re
from dataclasses import dataclass

from appliance.core import audit, live, phone_numbers
from appliance.core import search as core_search
from appliance.core.clock import WorkingCalendar
from appliance.core.db import write_transaction
from appliance.core.i18n import LOCALES, fold_text, locale_translations, normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import Employee

DIRECTORY_TOPIC = "directory"
_NUMBER_PATTERN = re.compile(r"\+?\d{2,15}")
_HOURS_PATTERN = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")  # the format in the database
_TIME_PATTERN = re.compile(r"\b(\d{1,2})[:.](\d\d)\b")  # the format in which people type times


@dataclass(frozen=True)
class DirectoryEntry:
    """The data of an employee as typed; `hours` as 09:00-18:00, or empty for always."""

    name: str
    number: str
    department: str = ""
    position: str = ""
    hours: str = ""
    substitute_id: int | None = None
    active: bool = True


def list_employees(*, include_inactive: bool = False) -> list[Employee]:
    """Active employees, or all (`include_inactive`), by department and name."""
    rows = Employee.select().order_by(Employee.department, Employee.name)
    return list(rows if include_inactive else rows.where(Employee.active))


def find_employee(number: int) -> Employee | None:
    """The employee with this id, if any, active or not."""
    return find_row(Employee, id=number)


def search_employees(typed: str, limit: int = 20) -> list[Employee]:
    """Return the active employees whose name, department or number matches the typed text.

    The best match comes first. If nothing was typed, everybody matches. Typed digits may occur
    anywhere in the number.
    """
    digits = re.sub(r"[\s().+-]", "", typed)
    if digits.isdigit():
        return [employee for employee in list_employees() if digits in employee.number][:limit]
    return core_search.best_matches(list_employees(), typed, lambda employee: employee.search_key)[
        :limit
    ]


def save_employee(entry: DirectoryEntry, by: str, employee: Employee | None = None) -> Employee:
    """Save a new employee, or change `employee`.

    Raises Refused with the name of the invalid field: "name", "number", "hours" or "substitute".
    """
    values = _employee_values(entry, employee)
    with write_transaction():
        if employee:
            Employee.update(**values).where(Employee.id == employee.id).execute()
            row: Employee = Employee.get_by_id(employee.id)
        else:
            row = Employee.create(**values)
        audit.record_entry(by, "employee.save", str(row.id), name=row.name, number=row.number)
        live.publish_topics(DIRECTORY_TOPIC)
    return row


def is_reachable(employee: Employee, time: dt.datetime, calendar: WorkingCalendar) -> bool:
    """Returns True if `time` (aware) is on a working day and within the employee's hours.

    An employee without hours is always reachable.
    """
    match = _HOURS_PATTERN.fullmatch(employee.hours)
    if not match:
        return True
    local = time.astimezone(calendar.tz)
    begin, end = (int(match[i]) * 60 + int(match[i + 1]) for i in (1, 3))
    return begin <= local.hour * 60 + local.minute < end and calendar.is_working_day(local.date())


def working_hours(employee: Employee) -> tuple[str, str] | None:
    """Return begin and end of the employee's working day, as 09:00, unless always reachable."""
    match = _HOURS_PATTERN.fullmatch(employee.hours)
    return (f"{match[1]}:{match[2]}", f"{match[3]}:{match[4]}") if match else None


def is_unreachable(number: str, time: dt.datetime, calendar: WorkingCalendar) -> bool:
    """Returns True if a call to this number at this time would reach nobody.

    That is the case for an employee outside their hours, unless a substitute is reachable.
    """
    employee = employee_of_number(number)
    if not employee or is_reachable(employee, time, calendar):
        return False
    substitute = employee.substitute
    return not (substitute and substitute.active and is_reachable(substitute, time, calendar))


def substitute_numbers() -> dict[str, str]:
    """Return the substitute's number by the employee's, for those with an active substitute."""
    return {
        employee.number: employee.substitute.number
        for employee in list_employees()
        if employee.substitute and employee.substitute.active
    }


def employee_of_number(number: str) -> Employee | None:
    """The active employee, if any, with this number, however it is written."""
    canonical_number = phone_numbers.canonical_number(number) or number
    return next(
        (
            e
            for e in list_employees()
            if (phone_numbers.canonical_number(e.number) or e.number) == canonical_number
        ),
        None,
    )


def _employee_values(entry: DirectoryEntry, employee: Employee | None) -> dict[str, object]:
    """Return the column values of an entry.

    Raises Refused with the name of the invalid field: "name", "number", "hours" or "substitute".
    """
    number = re.sub(r"[\s().-]", "", entry.number)
    if not entry.name.strip():
        raise Refused("name")
    if not _NUMBER_PATTERN.fullmatch(number):
        raise Refused("number")
    hours = _parse_hours(entry.hours)
    if entry.substitute_id is not None and (
        (employee and employee.id == entry.substitute_id)
        or not Employee.get_or_none(Employee.id == entry.substitute_id)
    ):
        raise Refused("substitute")
    spellings = (
        normalize_apostrophes(entry.name),
        normalize_apostrophes(entry.department),
        normalize_apostrophes(entry.position),
    )
    return {
        "name": spellings[0],
        "department": spellings[1],
        "position": spellings[2],
        "number": number,
        "hours": hours,
        "substitute": entry.substitute_id,
        "active": entry.active,
        "search_key": core_search.fold_names(*spellings, number),
    }


def _parse_hours(typed: str) -> str:
    """Return typed hours in the database format; "" (always) if the text is empty or "always".

    The text must contain two times; words around them are ignored. Raises Refused "hours" if not.
    """
    if fold_text(typed) in {
        "",
        *(fold_text(locale_translations(locale).gettext("always")) for locale in LOCALES),
    }:
        return ""
    times = [(int(hour), int(minute)) for hour, minute in _TIME_PATTERN.findall(typed)]
    stray = re.search(r"\d", _TIME_PATTERN.sub("", typed))
    if stray or len(times) != 2 or not (0, 0) <= times[0] < times[1] <= (24, 0):
        raise Refused("hours")
    if any(minute > 59 for _, minute in times):
        raise Refused("hours")
    return "-".join(f"{hour:02}:{minute:02}" for hour, minute in times)
