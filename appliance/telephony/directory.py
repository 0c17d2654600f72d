"""Employees of the ministry to whom callers are passed on."""

import datetime as dt
import re
from dataclasses import dataclass

from appliance.core import audit, live, phone_numbers
from appliance.core import search as core_search
from appliance.core.clock import WorkingCalendar
from appliance.core.db import writing
from appliance.core.i18n import LOCALES, fold, spelt, translations
from appliance.models import Employee

TOPIC = "directory"
_NUMBER = re.compile(r"\+?\d{2,15}")
_HOURS = re.compile(r"(\d\d):(\d\d)-(\d\d):(\d\d)")  # as they are kept
_TIME = re.compile(r"\b(\d{1,2})[:.](\d\d)\b")  # as they are typed


class DirectoryError(ValueError):
    """An employee cannot be written down so; `code` names why: name, number, hours, substitute."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Entry:
    """What is written down of an employee; `hours` as 09:00-18:00 or empty for always."""

    name: str
    number: str
    department: str = ""
    position: str = ""
    hours: str = ""
    substitute_id: int | None = None
    active: bool = True


def employees(*, all_of_them: bool = False) -> list[Employee]:
    """Active employees, or everybody, by department and name."""
    found = Employee.select().order_by(Employee.department, Employee.name)
    return list(found if all_of_them else found.where(Employee.active))


def employee(number: int) -> Employee | None:
    """The employee with this id, active or not; None when there is none."""
    return Employee.get_or_none(Employee.id == number)


def search(typed: str, limit: int = 20) -> list[Employee]:
    """Active employees who are meant by what was typed of name, department or number.

    The nearest first; everybody when nothing was typed. Digits may stand anywhere in the number.
    """
    digits = re.sub(r"[\s().+-]", "", typed)
    if digits.isdigit():
        return [one for one in employees() if digits in one.number][:limit]
    return core_search.best(employees(), typed, lambda one: one.search_key)[:limit]


def save(entry: Entry, by: str, employee: Employee | None = None) -> Employee:
    """Write down a new employee, or change one. Raises DirectoryError."""
    values = _checked(entry, employee)
    with writing():
        if employee:
            Employee.update(**values).where(Employee.id == employee.id).execute()
            saved = Employee.get_by_id(employee.id)
        else:
            saved = Employee.create(**values)
        audit.record(by, "employee.save", str(saved.id), name=saved.name, number=saved.number)
        live.publish(TOPIC)
    return saved


def reachable(employee: Employee, moment: dt.datetime, calendar: WorkingCalendar) -> bool:
    """Whether an aware moment lies in the employee's hours, on a working day."""
    found = _HOURS.fullmatch(employee.hours)
    if not found:
        return True
    local = moment.astimezone(calendar.tz)
    begin, end = (int(found[i]) * 60 + int(found[i + 1]) for i in (1, 3))
    return begin <= local.hour * 60 + local.minute < end and calendar.works_on(local.date())


def hours_of(employee: Employee) -> tuple[str, str] | None:
    """When the employee's hours begin and end on a working day, as 09:00; None: always there."""
    found = _HOURS.fullmatch(employee.hours)
    return (f"{found[1]}:{found[2]}", f"{found[3]}:{found[4]}") if found else None


def is_away(number: str, moment: dt.datetime, calendar: WorkingCalendar) -> bool:
    """Whether a call to this number would reach nobody at this moment.

    It is an employee's who is out of his hours, and so is his substitute if he has one.
    """
    one = named(number)
    if not one or reachable(one, moment, calendar):
        return False
    other = one.substitute
    return not (other and other.active and reachable(other, moment, calendar))


def substitutes() -> dict[str, str]:
    """Number → number of the substitute, of every active employee who has an active one."""
    return {
        one.number: one.substitute.number
        for one in employees()
        if one.substitute and one.substitute.active
    }


def named(number: str) -> Employee | None:
    """The active employee of a number, however it is written."""
    wanted = phone_numbers.canonical(number) or number
    return next(
        (e for e in employees() if (phone_numbers.canonical(e.number) or e.number) == wanted), None
    )


def _checked(entry: Entry, employee: Employee | None) -> dict[str, object]:
    number = re.sub(r"[\s().-]", "", entry.number)
    if not entry.name.strip():
        raise DirectoryError("name")
    if not _NUMBER.fullmatch(number):
        raise DirectoryError("number")
    hours = _hours(entry.hours)
    if entry.substitute_id is not None and (
        (employee and employee.id == entry.substitute_id)
        or not Employee.get_or_none(Employee.id == entry.substitute_id)
    ):
        raise DirectoryError("substitute")
    spellings = (spelt(entry.name), spelt(entry.department), spelt(entry.position))
    return {
        "name": spellings[0],
        "department": spellings[1],
        "position": spellings[2],
        "number": number,
        "hours": hours,
        "substitute": entry.substitute_id,
        "active": entry.active,
        "search_key": core_search.key(*spellings, number),
    }


def _hours(typed: str) -> str:
    """Hours as they are kept, of two times among any words; "" for none, or the word always."""
    if fold(typed) in {"", *(fold(translations(locale).gettext("always")) for locale in LOCALES)}:
        return ""
    times = [(int(hour), int(minute)) for hour, minute in _TIME.findall(typed)]
    stray = re.search(r"\d", _TIME.sub("", typed))
    if stray or len(times) != 2 or not (0, 0) <= times[0] < times[1] <= (24, 0):
        raise DirectoryError("hours")
    if any(minute > 59 for _, minute in times):
        raise DirectoryError("hours")
    return "-".join(f"{hour:02}:{minute:02}" for hour, minute in times)
