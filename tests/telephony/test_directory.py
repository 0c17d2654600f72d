"""Employees of the ministry: found in any script, kept as they are dialled."""

import datetime as dt

import pytest

from appliance.casework import catalogs
from appliance.models import AuditEntry
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryError, Entry


@pytest.fixture
def lola(settings):
    """Who is asked for most."""
    return directory.save(
        Entry("Lola Toʻrayeva", "71 239-01-01", "Bandlik boʻlimi", hours="09:00 – 18:00"), "rustam"
    )


def test_one_is_found_by_name_department_and_number_in_any_script(lola) -> None:
    other = directory.save(Entry("Murod Eshonqulov", "712390102"), "rustam")
    for typed in ("lola", "Лола Тўр", "to'ra", "bandlik lola", "бандлик", "0101", "71239"):
        assert lola in directory.search(typed), typed
    assert directory.search("мурод") == [other]
    assert directory.search("nobody") == []


def test_who_is_switched_off_is_found_no_more_and_stays(lola) -> None:
    directory.save(Entry(lola.name, lola.number, active=False), "rustam", lola)
    assert directory.search("lola") == []
    assert [one.name for one in directory.employees(all_of_them=True)] == [lola.name]
    assert AuditEntry.select().where(AuditEntry.action == "employee.save").count() == 2


def test_substitutes_are_told_by_number(lola) -> None:
    murod = directory.save(Entry("Murod", "712390102", substitute_id=lola.id), "rustam")
    assert directory.substitutes() == {"712390102": "712390101"}
    directory.save(Entry(lola.name, lola.number, active=False), "rustam", lola)
    assert directory.substitutes() == {}
    assert directory.named("712390102") == murod


@pytest.mark.parametrize(
    ("entry", "code"),
    [
        (Entry("  ", "712390101"), "name"),
        (Entry("Lola", "no number"), "number"),
        (Entry("Lola", "712390101", hours="morning"), "hours"),
        (Entry("Lola", "712390101", substitute_id=99), "substitute"),
    ],
)
def test_what_cannot_be_is_refused_with_a_code(settings, entry: Entry, code: str) -> None:
    with pytest.raises(DirectoryError) as refused:
        directory.save(entry, "rustam")
    assert refused.value.code == code
    assert directory.employees(all_of_them=True) == []


@pytest.mark.parametrize(
    ("typed", "kept"),
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
def test_hours_are_read_as_the_hint_writes_them(settings, typed: str, kept: str) -> None:
    saved = directory.save(Entry("Lola", "712390101", hours=typed), "rustam")
    assert (
        directory.save(Entry("Lola", "712390101", hours=saved.hours), "rustam", saved).hours == kept
    )


@pytest.mark.parametrize(
    "typed", ["18:00-09:00", "09:00-24:30", "09:70-18:00", "09:00-18:00, 19:00", "9-18"]
)
def test_hours_that_cannot_be_are_refused(settings, typed: str) -> None:
    with pytest.raises(DirectoryError):
        directory.save(Entry("Lola", "712390101", hours=typed), "rustam")


def test_hours_hold_on_working_days(settings, lola) -> None:
    calendar = catalogs.working_calendar(settings)
    noon = dt.datetime(2026, 10, 20, 12, tzinfo=settings.tz)  # a Tuesday
    for moment, expected in (
        (noon, True),
        (noon.replace(hour=18), False),
        (noon.replace(hour=8, minute=59), False),
        (noon + dt.timedelta(days=4), False),  # Saturday
    ):
        assert directory.reachable(lola, moment, calendar) is expected
    lola.hours = ""
    assert directory.reachable(lola, noon.replace(hour=3), calendar)


def test_a_call_reaches_nobody_when_the_substitute_is_away_too(settings, lola) -> None:
    calendar = catalogs.working_calendar(settings)
    night = dt.datetime(2026, 10, 20, 3, tzinfo=settings.tz)
    assert directory.is_away("+998 71 239-01-01".replace(" ", ""), night, calendar)
    assert not directory.is_away("712390101", night.replace(hour=12), calendar)
    assert not directory.is_away("712390199", night, calendar)  # nobody's whom we know
    other = directory.save(Entry("Murod", "712390102", hours=lola.hours), "rustam")
    entry = Entry(lola.name, lola.number, hours=lola.hours, substitute_id=other.id)
    directory.save(entry, "rustam", lola)
    assert directory.is_away("712390101", night, calendar)
    directory.save(Entry("Murod", "712390102"), "rustam", other)
    assert not directory.is_away("712390101", night, calendar)
