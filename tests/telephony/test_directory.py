"""Employees of the ministry: found in any script, stored with their dialled number."""

import datetime as dt

import pytest

from appliance.casework import catalogs
from appliance.core.refusals import Refused
from appliance.models import AuditEntry
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry


@pytest.fixture
def lola(settings):
    """The employee most often requested."""
    return directory.save_employee(
        DirectoryEntry("Lola Toʻrayeva", "71 239-01-01", "Bandlik boʻlimi", hours="09:00 – 18:00"),
        "rustam",
    )


def test_an_employee_is_found_by_name_department_or_number_in_any_script(lola) -> None:
    other = directory.save_employee(DirectoryEntry("Murod Eshonqulov", "712390102"), "rustam")
    for typed in ("lola", "Лола Тўр", "to'ra", "bandlik lola", "бандлик", "0101", "71239"):
        assert lola in directory.search_employees(typed), typed
    assert directory.search_employees("мурод") == [other]
    assert directory.search_employees("nobody") == []


def test_an_employee_switched_off_is_not_found_but_stays(lola) -> None:
    directory.save_employee(DirectoryEntry(lola.name, lola.number, active=False), "rustam", lola)
    assert directory.search_employees("lola") == []
    assert [employee.name for employee in directory.list_employees(include_inactive=True)] == [
        lola.name
    ]
    assert AuditEntry.select().where(AuditEntry.action == "employee.save").count() == 2


def test_substitutes_are_looked_up_by_number(lola) -> None:
    murod = directory.save_employee(
        DirectoryEntry("Murod", "712390102", substitute_id=lola.id), "rustam"
    )
    assert directory.substitute_numbers() == {"712390102": "712390101"}
    directory.save_employee(DirectoryEntry(lola.name, lola.number, active=False), "rustam", lola)
    assert directory.substitute_numbers() == {}
    assert directory.employee_of_number("712390102") == murod


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (DirectoryEntry("  ", "712390101"), "name"),
        (DirectoryEntry("Lola", "no number"), "number"),
        (DirectoryEntry("Lola", "712390101", hours="morning"), "hours"),
        (DirectoryEntry("Lola", "712390101", substitute_id=99), "substitute"),
    ],
)
def test_an_invalid_entry_is_refused_with_a_code(
    settings, entry: DirectoryEntry, code: str
) -> None:
    with pytest.raises(Refused) as refused:
        directory.save_employee(entry, "rustam")
    assert refused.value.code == code
    assert directory.list_employees(include_inactive=True) == []


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("Ish kunlari 09:00-18:00", "09:00-18:00"),
        ("По рабочим дням 9:00 – 18:00", "09:00-18:00"),
        ("09.00 dan 24.00 gacha", "09:00-24:00"),
        ("Ish kunlari 09:00-18:00; boʻsh boʻlsa, doim", "09:00-18:00"),
        ("  ", ""),
        ("doim", ""),
        ("Доим", ""),
        ("всегда", ""),
    ],
)
def test_hours_are_read_in_the_form_of_the_hint(settings, typed: str, expected: str) -> None:
    saved = directory.save_employee(DirectoryEntry("Lola", "712390101", hours=typed), "rustam")
    assert (
        directory.save_employee(
            DirectoryEntry("Lola", "712390101", hours=saved.hours), "rustam", saved
        ).hours
        == expected
    )


@pytest.mark.parametrize(
    "typed", ["18:00-09:00", "09:00-24:30", "09:70-18:00", "09:00-18:00, 19:00", "9-18"]
)
def test_impossible_hours_are_refused(settings, typed: str) -> None:
    with pytest.raises(Refused):
        directory.save_employee(DirectoryEntry("Lola", "712390101", hours=typed), "rustam")


def test_hours_apply_on_working_days(settings, lola) -> None:
    calendar = catalogs.working_calendar(settings)
    noon = dt.datetime(2026, 10, 20, 12, tzinfo=settings.tz)  # a Tuesday
    for moment, expected in (
        (noon, True),
        (noon.replace(hour=18), False),
        (noon.replace(hour=8, minute=59), False),
        (noon + dt.timedelta(days=4), False),  # Saturday
    ):
        assert directory.is_reachable(lola, moment, calendar) is expected
    lola.hours = ""
    assert directory.is_reachable(lola, noon.replace(hour=3), calendar)


def test_a_call_reaches_nobody_if_the_substitute_is_also_away(settings, lola) -> None:
    calendar = catalogs.working_calendar(settings)
    night = dt.datetime(2026, 10, 20, 3, tzinfo=settings.tz)
    assert directory.is_unreachable("+998 71 239-01-01".replace(" ", ""), night, calendar)
    assert not directory.is_unreachable("712390101", night.replace(hour=12), calendar)
    # a number that is not in the directory
    assert not directory.is_unreachable("712390199", night, calendar)
    other = directory.save_employee(
        DirectoryEntry("Murod", "712390102", hours=lola.hours), "rustam"
    )
    entry = DirectoryEntry(lola.name, lola.number, hours=lola.hours, substitute_id=other.id)
    directory.save_employee(entry, "rustam", lola)
    assert directory.is_unreachable("712390101", night, calendar)
    directory.save_employee(DirectoryEntry("Murod", "712390102"), "rustam", other)
    assert not directory.is_unreachable("712390101", night, calendar)
