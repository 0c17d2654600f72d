"""The page of the working calendar: who may edit it, how a year is proposed and confirmed."""

import datetime as dt

import pytest

from appliance.models import CalendarDay
from tests.rig.browser import Browser

NAMES = {"name_uz_latn": "Bayram", "name_uz_cyrl": "Байрам", "name_ru": "Праздник"}

pytestmark = pytest.mark.usefixtures("at_noon")  # 18 November 2026


@pytest.fixture
def manager(login_as) -> Browser:
    return login_as("manager")


def count_days(year: int) -> int:
    first_date, last_date = dt.date(year, 1, 1), dt.date(year, 12, 31)
    return CalendarDay.select().where(CalendarDay.date.between(first_date, last_date)).count()


def test_page_shows_a_year_as_a_grid_and_a_list(manager: Browser) -> None:
    page = manager.get("/calendar").text
    assert page.count('class="month"') == 12
    assert 'title="Mustaqillik kuni"' in page
    assert 'class="is-ok" title="Ish kuni (koʻchirilgan)">12' in page
    assert "09:00–18:00" in page
    assert "/calendar/2026-10-01/remove" not in page
    assert "/calendar/2026-12-08/remove" in page


@pytest.mark.parametrize("role", ["operator", "supervisor", "ministry", "technician"])
def test_other_roles_see_the_calendar_but_cannot_change_it(login_as, role: str) -> None:
    page = login_as(role).get("/calendar?year=2028").text
    assert page.count('class="month"') == 12
    assert 'action="/calendar' not in page


def test_next_year_is_proposed_and_confirmed(manager: Browser) -> None:
    page = manager.get("/calendar?year=2028").text
    assert "Roʻza hayit (taxminiy)" in page
    assert 'action="/calendar/2028/confirm"' in page
    assert count_days(2028) == 0
    manager.send("/calendar/2028/confirm")
    assert count_days(2028) == 12
    page = manager.get("/calendar?year=2028").text
    assert "/confirm" not in page
    assert 'href="/calendar?year=2029"' in page
    again = manager.refused_page(manager.send("/calendar/2028/confirm"))
    assert "allaqachon bor" in again


def test_estimated_eid_can_be_confirmed(manager: Browser) -> None:
    assert "/calendar/2027-03-09/settle" in manager.get("/calendar?year=2027").text
    manager.send("/calendar/2027-03-09/settle")
    page = manager.get("/calendar?year=2027").text
    assert "/calendar/2027-03-09/settle" not in page
    assert "Roʻza hayit<" in page


def test_day_can_be_added_changed_and_removed(manager: Browser) -> None:
    sent = manager.send("/calendar", date="01.06.2027", kind="decree_day_off", **NAMES)
    assert sent.headers["Location"] == "/calendar?year=2027"
    page = manager.get("/calendar?year=2027&day=2027-06-01").text
    assert 'value="01.06.2027"' in page
    assert 'value="decree_day_off" selected' in page
    manager.send("/calendar/2027-06-01/remove")
    assert "01.06.2027" not in manager.get("/calendar?year=2027").text


@pytest.mark.parametrize(
    ("changed_fields", "message"),
    [
        ({"date": "01.10.2026"}, "Oʻtgan kun hech qachon oʻzgarmaydi:"),
        ({"date": "bahorda"}, "Kelgusi sanani yozing"),
        ({"kind": "working_weekend"}, "shanba yoki yakshanba"),
        ({"name_ru": "Bayram"}, "lotincha harflar bor"),
    ],
)
def test_invalid_day_is_reported_and_typed_values_are_kept(
    manager, changed_fields, message
) -> None:
    fields = {"date": "01.06.2027", "kind": "holiday"} | NAMES | changed_fields
    page = manager.refused_page(manager.send("/calendar", **fields))
    assert message in page
    assert f'value="{fields["date"]}"' in page
    assert f'value="{fields["name_ru"]}"' in page


def test_past_day_cannot_be_removed(manager: Browser) -> None:
    page = manager.refused_page(manager.send("/calendar/2026-10-01/remove"))
    assert "hech qachon oʻzgarmaydi:" in page
    assert CalendarDay.get_or_none(CalendarDay.date == dt.date(2026, 10, 1))


@pytest.mark.parametrize("year", ["1", "9999", "2040", "x", "2027x"])
def test_unknown_year_shows_the_current_year(manager: Browser, year: str) -> None:
    assert 'title="Ish kuni (koʻchirilgan)">12' in manager.get(f"/calendar?year={year}").text
