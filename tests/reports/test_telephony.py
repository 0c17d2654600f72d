"""The telephony report and the act as files, by the command."""

import csv
import dataclasses
import datetime as dt
import io
import json
import re
import tracemalloc
from pathlib import Path

import openpyxl
import pypdf
import pytest
from click.testing import CliRunner

from appliance import demo
from appliance.cli import appliance
from appliance.core import clock, i18n
from appliance.core.settings import Settings
from appliance.demo.world import of_site
from appliance.models import Call, Tariff
from appliance.reports import (
    balance,
    call_filters,
    counting,
    figures,
    files,
    inbound,
    kpi,
    minutes,
    tariffs,
    words,
    xlsx,
)
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from appliance.reports.telephony import export, printing, report
from appliance.telephony import calls, line_quality
from appliance.telephony.line_quality import Heard

FIRST, LAST = dt.date(2026, 10, 1), dt.date(2026, 10, 6)


@pytest.fixture
def busy(settings: Settings) -> Period:
    demo.load(of_site(settings, FIRST, LAST), 500, seed=2)
    tariffs.add("inbound", "minute", 12_050, FIRST, by="x")
    return Period(FIRST, LAST, settings.tz)


def run(settings: Settings, out: Path, *command: str) -> bytes:
    done = CliRunner().invoke(
        appliance, ["--config", str(settings.file), "report", *command, "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    return out.read_bytes()


def test_phones_in_the_page_stand_in_every_kind_of_file(settings) -> None:
    today = clock.now().astimezone(settings.tz).date()
    asked = CallFilter(Period(today, today, settings.tz))
    made = report.build(settings, asked, "ru")
    assert "line_quality" not in printing.as_csv(made)  # nobody has one
    line_quality.record("nilufar", Heard("a.1", 60, 0.1, 8.0, 40.0))
    line_quality.record("sardor", Heard("b.1", 60, 5.0, 8.0, None))
    made = report.build(settings, asked, "ru")
    names = [made.names[login] for login in ("sardor", "nilufar")]  # the worst first
    rows = [row for row in csv.reader(printing.as_csv(made).splitlines()) if "line_quality" in row]
    assert [row[1:4] for row in rows[1:]] == [[names[0], "1", "5.0"], [names[1], "1", "0.1"]]
    assert [row[5] for row in rows[1:]] == ["", "40.0"]
    [sheet] = [s for s in printing.as_book(made).sheets if s.name == "Телефоны на странице"]
    assert sheet.tables[0].rows[0][0] == names[0]
    told = [(line["operator"], line["bad"]) for line in export.as_json(made)["line_quality"]]
    assert told == [("sardor", True), ("nilufar", False)]


def test_the_report_says_the_same_in_every_kind_of_file(busy, settings, tmp_path) -> None:
    days = ("telephony", "--from", "2026-10-01", "--to", "2026-10-06", "--lang", "ru", "--format")
    files = {k: run(settings, tmp_path / k, *days, k) for k in ("json", "csv", "xlsx", "pdf")}
    told = json.loads(files["json"])
    incoming = told["total"]["incoming"]
    assert told["balance"]["difference"] == 0
    assert incoming > 400

    rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert ["figures", "Поступило", str(incoming)] in rows
    days_told = [row for row in rows if row[0] == "day"]
    assert sum(int(row[2]) for row in days_told[1:-1]) == int(days_told[-1][2]) == incoming

    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]))
    assert len(book.sheetnames) == len(set(book.sheetnames)) >= 16
    heat = book["Звонки по дням недели и часам"]
    assert incoming in [cell.value for row in heat.iter_rows() for cell in row]

    pages = pypdf.PdfReader(io.BytesIO(files["pdf"])).pages
    assert all(page.mediabox.width > page.mediabox.height for page in pages)
    text = "\n".join(page.extract_text() for page in pages)
    assert "Нагрузка операторов" in text
    assert f"Поступило\n{incoming}" in text or f"Поступило {incoming}" in text


def test_the_act_is_equal_in_every_kind_of_file(busy, settings, tmp_path) -> None:
    month = ("minutes", "2026-10", "--lang", "ru", "--format")
    files = {k: run(settings, tmp_path / k, *month, k) for k in ("json", "csv", "xlsx", "pdf")}
    told = json.loads(files["json"])["total"]
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert len(rows) == told["calls"]
    assert sum(int(row["amount_tiyin"] or 0) for row in rows) == told["amount_tiyin"] > 0
    assert sum(int(row["billed_seconds"]) for row in rows) == told["billed_seconds"]
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]), data_only=True)
    act, listed = (book[name] for name in book.sheetnames)
    sums = [cell.value for cell in (*act["I"], *listed["I"]) if isinstance(cell.value, int | float)]
    assert sums.count(told["amount_tiyin"] / 100) >= 2
    assert (
        "Акт об объёме разговоров (минуты)"
        in pypdf.PdfReader(io.BytesIO(files["pdf"])).pages[0].extract_text()
    )


def test_days_that_are_none_are_refused(settings, tmp_path) -> None:
    for days in (("2026-10-02", "2026-10-01"), ("x", "2026-10-01")):
        command = ["report", "telephony", "--from", days[0], "--to", days[1]]
        done = CliRunner().invoke(appliance, ["--config", str(settings.file), *command])
        assert done.exit_code == 2


def test_an_export_holds_a_chunk_however_long_it_is(settings) -> None:
    days = dt.timedelta(days=6)
    for week in range(4):
        first = FIRST - 7 * week * dt.timedelta(days=1)
        demo.load(of_site(settings, first, first + days), 700, seed=week)
    peaks = []
    for weeks in (1, 4):
        call_filter = CallFilter(
            Period(FIRST - (weeks - 1) * dt.timedelta(days=7), FIRST + days, settings.tz)
        )
        tracemalloc.start()
        pieces = sum(1 for _ in behind.as_csv(call_filter, list(behind.COLUMNS)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert pieces >= weeks
    assert peaks[1] < 1.6 * peaks[0]


def test_a_zone_that_puts_its_clock_on_counts_by_the_clock_on_the_wall(settings) -> None:
    """Berlin, 29 March 2026: the hour after 01:00 is 03:00."""
    from zoneinfo import ZoneInfo

    from appliance.models import Call
    from appliance.reports.telephony import hours

    berlin = ZoneInfo("Europe/Berlin")
    for utc in ("2026-03-29T00:30", "2026-03-29T01:30", "2026-03-28T22:59", "2026-03-28T23:00"):
        at = dt.datetime.fromisoformat(f"{utc}+00:00")
        Call.create(id=utc, direction="inbound", arrived_at=at, stage="ended", outcome="failed")
    call_filter = CallFilter(Period(dt.date(2026, 3, 28), dt.date(2026, 3, 29), berlin))
    found = hours.count(call_filter, 20.0).counted
    assert sorted(f"{hour:%d %H}" for hour in found) == ["28 23", "29 00", "29 01", "29 03"]
    assert behind.count(call_filter.with_(hour=3)) == 1
    assert behind.count(call_filter.with_(weekday=7)) == 3


def test_what_no_condition_can_be_is_passed_over(settings: Settings) -> None:
    period = Period(FIRST, LAST, dt.UTC)  # type: ignore[arg-type]
    asked = {"hour": "24", "weekday": "x", "wait": "1", "rated": "bad", "outcome": "odd", "x": "1"}
    assert call_filters.from_address(period, asked.items()).conditions == {}
    assert call_filters.from_address(period, [("hour", "23"), ("language", "")]).conditions == {
        "hour": "23"
    }


def test_the_tally_at_hand_and_that_of_the_database_have_the_same_formulas() -> None:
    one = kpi.Tally(incoming=4, accepted=2, open=1, waited=2, wait_seconds=30.0, mark_5=1)
    both = one + one
    assert (both.missed, both.answer_speed.value, both.rating.value) == (2, 15.0, 5.0)
    assert kpi.Tally().service_level.value is None


def test_the_tally_at_hand_is_that_of_the_database(busy) -> None:
    found = inbound.of(busy, 20.0, [dt.time(9, 10)])
    counted, at_hand = counting.whole(CallFilter(busy), 20.0), found.tally
    assert counted.hold_seconds > 0
    for field in dataclasses.fields(kpi.Tally):
        assert getattr(at_hand, field.name) == pytest.approx(getattr(counted, field.name)), field
    assert at_hand.handling.value == pytest.approx(counted.handling.value)
    slots = found.slots.values()
    parts = [sum(getattr(s, name) for s in slots) for name in ("incoming", "accepted", "missed")]
    assert parts == [counted.incoming, counted.accepted, counted.missed]


def test_the_bridge_leads_from_the_balance_to_the_tables(busy, settings) -> None:
    mark = {"answered": {"synthetic": True}, "abandoned_menu": {"outcome": "rejected"}}
    for outcome, change in mark.items():
        some = Call.select(Call.id).where(Call.direction == "inbound", Call.outcome == outcome)
        Call.update(**change).where(Call.id << [call.id for call in some.limit(3)]).execute()
    arrived = inbound.of(busy, 20.0)
    found = arrived.tally
    assert counting.others(busy) == balance.others(arrived.groups)
    for locale in i18n.LOCALES:
        counted = calls.balance(busy.begin, busy.end)
        told = balance.bridge(counted, counting.others(busy), words.load(locale).balance)
        arrived, came, taken = (
            figures.number(n) for n in (counted.arrivals, found.incoming, found.accepted)
        )
        assert re.search(rf"{arrived} − \d+ \w+( \w+)? − \d+ \w+ = {came}; .*= {taken}$", told)
        for name in ("telephony", "minutes"):
            form = files.FORMS[name]
            made = form.build(settings, busy, locale)
            assert told in form.as_page(made)
            assert told in str(form.as_book(made).sheets[0].notes)


def test_an_act_without_tariffs_has_no_sum(busy, settings) -> None:
    def sums() -> tuple[str, str, object]:
        made = minutes.build(settings, busy, "uz_Latn")
        book = minutes.as_book(made)
        total = book.sheets[0].tables[0].total
        assert total is not None
        return minutes.as_page(made), str(total[-1]), minutes.as_json(made)["total"]["amount_tiyin"]

    page, cell, amount = sums()
    assert "Tarifsiz, summaga kirmagan" in page  # the outgoing calls
    assert cell == str(xlsx.SUM)
    assert isinstance(amount, int)
    Tariff.delete().execute()
    page, cell, amount = sums()
    assert page.split("Jami")[1].count('<td class="n">nomaʼlum</td>') == 1
    assert "0,00" not in page
    assert (cell, amount) == ("nomaʼlum", None)
    assert xlsx.write(minutes.as_book(minutes.build(settings, busy, "uz_Latn")))
    Call.delete().execute()
    assert minutes.build(settings, busy, "uz_Latn").total.amount == 0  # nothing is no unknown
