"""The working calendar: future days can be set, past days never change, a year is proposed."""

import csv
import datetime as dt
import json
from typing import Any

import pytest
from click.testing import CliRunner, Result

from appliance import PACKAGE
from appliance.casework.catalogs import days, proposals
from appliance.cli import appliance
from appliance.core.audit.table import AuditEntry
from appliance.core.refusals import Refused
from appliance.core.settings import Settings
from appliance.models import CalendarDay

pytestmark = pytest.mark.usefixtures("settings")

TODAY = dt.date(2026, 11, 28)
NAMES = {"name_uz_latn": "Bayram", "name_uz_cyrl": "Байрам", "name_ru": "Праздник"}
COLUMNS = ("date", "kind", "working", *NAMES)


def day_columns(day: CalendarDay) -> tuple[Any, ...]:
    return tuple(getattr(day, name) for name in COLUMNS)


def refusal_code(act: Any, *args: Any) -> str:
    with pytest.raises(Refused) as error:
        act(*args)
    return error.value.code


@pytest.mark.parametrize("year", [2025, 2026, 2027])
def test_the_proposal_equals_the_shipped_calendar_for_known_years(year: int) -> None:
    with (PACKAGE / "data" / "calendar.csv").open(encoding="utf-8", newline="") as file:
        shipped = [row for row in csv.DictReader(file) if row["date"].startswith(f"{year}-")]
    proposed = [
        {
            "date": day.date.isoformat(),
            "kind": day.kind,
            "working": f"{day.working:d}",
            **{name: getattr(day, name) for name in NAMES},
        }
        for day in proposals.propose_days(year)
    ]
    assert proposed == shipped


@pytest.mark.parametrize("year", range(2028, 2036))
def test_every_proposed_day_has_its_names(year: int) -> None:
    proposed = proposals.propose_days(year)
    assert len(proposed) >= 9
    assert {day.kind for day in proposed} <= set(days.DAY_KINDS)
    assert sum(day.kind == "holiday_estimated" for day in proposed) >= 1
    for day in proposed:
        assert len({getattr(day, name) for name in NAMES}) == 3, day.name_uz_latn


def test_a_year_can_be_confirmed_only_once() -> None:
    assert days.listed_years()[-1] == 2028
    count = days.add_proposed_year(2028, TODAY, "sherzod")
    assert [day_columns(d) for d in days.list_days(2028)] == [
        day_columns(d) for d in proposals.propose_days(2028)
    ]
    assert len(days.list_days(2028)) == count
    assert days.calendar_end() == dt.date(2028, 12, 31)
    assert days.listed_years()[-1] == 2029
    assert refusal_code(days.add_proposed_year, 2028, TODAY, "sherzod") == "known"
    assert refusal_code(days.add_proposed_year, 2026, TODAY, "sherzod") == "known"
    assert AuditEntry.get(AuditEntry.action == "calendar.year").detail == {"days": count}


def test_confirming_a_year_keeps_days_entered_before() -> None:
    days.set_day(dt.date(2028, 1, 1), "holiday", NAMES, TODAY, "sherzod")
    days.add_proposed_year(2028, TODAY, "sherzod")
    assert CalendarDay.get_by_id(dt.date(2028, 1, 1)).name_ru == "Праздник"


def test_an_estimated_day_becomes_final_when_settled() -> None:
    eid = dt.date(2027, 3, 9)
    days.confirm_estimated_day(eid, TODAY, "sherzod")
    day = CalendarDay.get_by_id(eid)
    assert (day.kind, day.name_uz_latn) == ("holiday", "Roʻza hayit")
    assert (day.name_uz_cyrl, day.name_ru) == ("Рўза ҳайит", "Руза хайит (Ийд аль-Фитр)")
    days.confirm_estimated_day(dt.date(2027, 5, 17), TODAY, "sherzod")
    day = CalendarDay.get_by_id(dt.date(2027, 5, 17))
    assert (day.kind, day.name_uz_latn) == ("observed", "Qurbon hayit (koʻchirilgan)")


def test_a_day_is_set_changed_and_removed(settings: Settings) -> None:
    date = dt.date(2027, 6, 1)
    days.set_day(date, "decree_day_off", NAMES, TODAY, "sherzod")
    assert not days.working_calendar(settings).is_working_day(date)
    days.set_day(date, "holiday", NAMES | {"name_ru": "Иной"}, TODAY, "sherzod")
    assert CalendarDay.get_by_id(date).name_ru == "Иной"
    days.remove_day(date, TODAY, "sherzod")
    assert days.working_calendar(settings).is_working_day(date)
    saturday = dt.date(2027, 6, 5)
    days.set_day(saturday, "working_weekend", NAMES, TODAY, "sherzod")
    assert days.working_calendar(settings).is_working_day(saturday)
    actions = [row.action for row in AuditEntry.select().where(AuditEntry.who == "sherzod")]
    assert actions == [f"calendar.{act}" for act in ("set", "set", "remove", "set")]


@pytest.mark.parametrize("date", [TODAY, dt.date(2026, 10, 1)])
def test_a_past_day_never_changes(date: dt.date) -> None:
    before = [day_columns(day) for day in days.list_days()]
    assert refusal_code(days.set_day, date, "holiday", NAMES, TODAY, "sherzod") == "past"
    assert refusal_code(days.remove_day, date, TODAY, "sherzod") == "past"
    assert refusal_code(days.confirm_estimated_day, date, TODAY, "sherzod") == "past"
    assert [day_columns(day) for day in days.list_days()] == before


@pytest.mark.parametrize(
    ("date", "kind", "changed_names", "code"),
    [
        (None, "holiday", {}, "date"),
        (dt.date(2027, 6, 1), "party", {}, "kind"),
        (dt.date(2027, 6, 1), "working_weekend", {}, "kind"),
        (dt.date(2027, 6, 5), "decree_day_off", {}, "kind"),
        (dt.date(2027, 6, 1), "holiday", {"name_ru": ""}, "names"),
        (dt.date(2027, 6, 1), "holiday", {"name_uz_cyrl": "Bayram"}, "name_uz_cyrl"),
    ],
)
def test_an_invalid_day_is_refused(
    date: Any, kind: str, changed_names: dict[str, str], code: str
) -> None:
    assert refusal_code(days.set_day, date, kind, NAMES | changed_names, TODAY, "sherzod") == code


# the command


def run_calendar_command(settings: Settings, *words: str) -> Result:
    return CliRunner().invoke(appliance, ["--config", str(settings.file), "calendar", *words])


def test_the_command_lists_days(settings: Settings) -> None:
    days_listed = json.loads(
        run_calendar_command(settings, "list", "--year", "2026", "--json").output
    )
    assert days_listed[0]["date"] == "2026-01-01"
    assert {day["date"][:4] for day in days_listed} == {"2026"}
    assert len(json.loads(run_calendar_command(settings, "list", "--json").output)) == 44


def test_the_command_imports_future_days(settings: Settings, tmp_path, at_noon) -> None:
    file = tmp_path / "days.csv"
    head = "date,kind,working,name_uz_latn,name_uz_cyrl,name_ru\n"
    file.write_text(head + "01.06.2027,decree_day_off,0,Bayram,Байрам,Праздник\n", "utf-8")
    assert run_calendar_command(settings, "import", str(file)).output == "1\n"
    assert CalendarDay.get_by_id(dt.date(2027, 6, 1)).name_ru == "Праздник"
    assert (
        run_calendar_command(settings, "import", str(PACKAGE / "data" / "calendar.csv")).output
        == "44\n"
    )
    file.write_text(head + "2026-10-01,holiday,1,Bayram,Байрам,Праздник\n", "utf-8")
    failed = run_calendar_command(settings, "import", str(file))
    assert (failed.exit_code, "2026-10-01 is past" in failed.output) == (1, True)
    assert not CalendarDay.get_by_id(dt.date(2026, 10, 1)).working
