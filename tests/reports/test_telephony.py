"""The telephony report and the act as files, made by the command."""

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
from appliance.demo.world import load_site_profile
from appliance.models import Call, Tariff
from appliance.reports import (
    balance,
    call_filters,
    counting,
    files,
    formatting,
    inbound,
    kpi,
    minutes,
    report_texts,
    tariffs,
    xlsx,
)
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.reports.telephony import calls as behind
from appliance.reports.telephony import export, printing, report
from appliance.telephony import calls, line_quality
from appliance.telephony.line_quality import TalkQuality

FIRST_DAY, LAST_DAY = dt.date(2026, 10, 1), dt.date(2026, 10, 6)


@pytest.fixture
def busy(settings: Settings) -> Period:
    demo.load_history(load_site_profile(settings, FIRST_DAY, LAST_DAY), 500, seed=2)
    tariffs.add_tariff("inbound", "minute", 12_050, FIRST_DAY, by="x")
    return Period(FIRST_DAY, LAST_DAY, settings.tz)


def run_report(settings: Settings, out: Path, *command: str) -> bytes:
    done = CliRunner().invoke(
        appliance, ["--config", str(settings.file), "report", *command, "--out", str(out)]
    )
    assert done.exit_code == 0, done.output
    return out.read_bytes()


def test_the_printed_report_words_its_filter(settings) -> None:
    today = clock.now().astimezone(settings.tz).date()
    conditions = {"language": "ru", "wait": "90-", "all": "1"}
    call_filter = CallFilter(Period(today, today, settings.tz), conditions)
    built = report.build_telephony_report(settings, call_filter, "ru")
    expected = "Язык: Русский, Секунды ожидания: 90+, И отклонённые, и пробные: да"
    assert expected in printing.as_page(built)


def test_line_quality_is_in_every_kind_of_file(settings) -> None:
    today = clock.now().astimezone(settings.tz).date()
    call_filter = CallFilter(Period(today, today, settings.tz))
    built = report.build_telephony_report(settings, call_filter, "ru")
    assert "line_quality" not in printing.as_csv(built)  # no operator has a phone in a page
    line_quality.record_talk("nilufar", TalkQuality("a.1", 60, 0.1, 8.0, 40.0))
    line_quality.record_talk("sardor", TalkQuality("b.1", 60, 5.0, 8.0, None))
    built = report.build_telephony_report(settings, call_filter, "ru")
    names = [built.names[login] for login in ("sardor", "nilufar")]  # the worst first
    rows = [row for row in csv.reader(printing.as_csv(built).splitlines()) if "line_quality" in row]
    assert [row[1:4] for row in rows[1:]] == [[names[0], "1", "5.0"], [names[1], "1", "0.1"]]
    assert [row[5] for row in rows[1:]] == ["", "40.0"]
    [sheet] = [s for s in printing.as_workbook(built).sheets if s.name == "Телефоны на странице"]
    assert sheet.tables[0].rows[0][0] == names[0]
    json_lines = [(line["operator"], line["bad"]) for line in export.as_json(built)["line_quality"]]
    assert json_lines == [("sardor", True), ("nilufar", False)]


def test_the_report_has_the_same_figures_in_every_kind_of_file(busy, settings, tmp_path) -> None:
    days = ("telephony", "--from", "2026-10-01", "--to", "2026-10-06", "--lang", "ru", "--format")
    files = {
        k: run_report(settings, tmp_path / k, *days, k) for k in ("json", "csv", "xlsx", "pdf")
    }
    report_json = json.loads(files["json"])
    incoming = report_json["total"]["incoming"]
    assert report_json["balance"]["difference"] == 0
    assert incoming > 400

    rows = list(csv.reader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert ["figures", "Поступило", str(incoming)] in rows
    day_rows = [row for row in rows if row[0] == "day"]
    assert sum(int(row[2]) for row in day_rows[1:-1]) == int(day_rows[-1][2]) == incoming

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
    files = {
        k: run_report(settings, tmp_path / k, *month, k) for k in ("json", "csv", "xlsx", "pdf")
    }
    total = json.loads(files["json"])["total"]
    rows = list(csv.DictReader(io.StringIO(files["csv"].decode("utf-8-sig"))))
    assert len(rows) == total["calls"]
    assert sum(int(row["amount_tiyin"] or 0) for row in rows) == total["amount_tiyin"] > 0
    assert sum(int(row["billed_seconds"]) for row in rows) == total["billed_seconds"]
    book = openpyxl.load_workbook(io.BytesIO(files["xlsx"]), data_only=True)
    act, listed = (book[name] for name in book.sheetnames)
    sums = [cell.value for cell in (*act["I"], *listed["I"]) if isinstance(cell.value, int | float)]
    assert sums.count(total["amount_tiyin"] / 100) >= 2
    assert (
        "Акт об объёме разговоров (минуты)"
        in pypdf.PdfReader(io.BytesIO(files["pdf"])).pages[0].extract_text()
    )


def test_invalid_days_are_refused(settings, tmp_path) -> None:
    for days in (("2026-10-02", "2026-10-01"), ("x", "2026-10-01")):
        command = ["report", "telephony", "--from", days[0], "--to", days[1]]
        done = CliRunner().invoke(appliance, ["--config", str(settings.file), *command])
        assert done.exit_code == 2


def test_an_export_of_any_length_holds_one_chunk_in_memory(settings) -> None:
    days = dt.timedelta(days=6)
    for week in range(4):
        first = FIRST_DAY - 7 * week * dt.timedelta(days=1)
        demo.load_history(load_site_profile(settings, first, first + days), 700, seed=week)
    peaks = []
    for weeks in (1, 4):
        call_filter = CallFilter(
            Period(FIRST_DAY - (weeks - 1) * dt.timedelta(days=7), FIRST_DAY + days, settings.tz)
        )
        tracemalloc.start()
        pieces = sum(1 for _ in behind.as_csv(call_filter, list(behind.COLUMNS)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert pieces >= weeks
    assert peaks[1] < 1.6 * peaks[0]


def test_hours_are_counted_by_local_time_across_a_clock_change(settings) -> None:
    """Berlin, 29 March 2026: the hour after 01:00 is 03:00."""
    from zoneinfo import ZoneInfo

    from appliance.models import Call
    from appliance.reports.telephony import hours

    berlin = ZoneInfo("Europe/Berlin")
    for utc in ("2026-03-29T00:30", "2026-03-29T01:30", "2026-03-28T22:59", "2026-03-28T23:00"):
        at = dt.datetime.fromisoformat(f"{utc}+00:00")
        Call.create(id=utc, direction="inbound", arrived_at=at, stage="ended", outcome="failed")
    call_filter = CallFilter(Period(dt.date(2026, 3, 28), dt.date(2026, 3, 29), berlin))
    hour_counts = hours.count_hours(call_filter, 20.0).tallies
    assert sorted(f"{hour:%d %H}" for hour in hour_counts) == ["28 23", "29 00", "29 01", "29 03"]
    assert behind.count_calls(call_filter.with_conditions(hour=3)) == 1
    assert behind.count_calls(call_filter.with_conditions(weekday=7)) == 3


def test_invalid_conditions_are_ignored(settings: Settings) -> None:
    period = Period(FIRST_DAY, LAST_DAY, dt.UTC)  # type: ignore[arg-type]
    conditions = {
        "hour": "24",
        "weekday": "x",
        "wait": "1",
        "rated": "bad",
        "outcome": "odd",
        "x": "1",
    }
    assert call_filters.filter_from_query(period, conditions.items()).conditions == {}
    assert call_filters.filter_from_query(
        period, [("hour", "23"), ("language", "")]
    ).conditions == {"hour": "23"}


def test_a_sum_of_tallies_has_the_formulas_of_a_tally() -> None:
    single = kpi.Tally(
        incoming=4, accepted=2, open=1, answered_from_queue=2, wait_seconds=30.0, mark_5=1
    )
    doubled = single + single
    assert (doubled.missed, doubled.answer_speed.value, doubled.rating.value) == (2, 15.0, 5.0)
    assert kpi.Tally().service_level.value is None


def test_the_tally_in_memory_equals_that_of_the_database(busy) -> None:
    arrivals = inbound.count_arrivals(busy, 20.0, [dt.time(9, 10)])
    counted, in_memory = counting.count_all(CallFilter(busy), 20.0), arrivals.tally
    assert counted.hold_seconds > 0
    for field in dataclasses.fields(kpi.Tally):
        assert getattr(in_memory, field.name) == pytest.approx(getattr(counted, field.name)), field
    assert in_memory.handling.value == pytest.approx(counted.handling.value)
    slots = arrivals.slots.values()
    parts = [sum(getattr(s, name) for s in slots) for name in ("incoming", "accepted", "missed")]
    assert parts == [counted.incoming, counted.accepted, counted.missed]


def test_the_bridge_explains_the_difference_of_balance_and_tables(busy, settings) -> None:
    mark = {"answered": {"synthetic": True}, "abandoned_menu": {"outcome": "rejected"}}
    for outcome, change in mark.items():
        some = Call.select(Call.id).where(Call.direction == "inbound", Call.outcome == outcome)
        Call.update(**change).where(Call.id << [call.id for call in some.limit(3)]).execute()
    arrived = inbound.count_arrivals(busy, 20.0)
    tally = arrived.tally
    assert counting.count_excluded_calls(busy) == balance.count_excluded(arrived.groups)
    for locale in i18n.LOCALES:
        counted = calls.ledger_balance(busy.begin, busy.end)
        sentence = balance.bridge_text(
            counted, counting.count_excluded_calls(busy), report_texts.load_texts(locale).balance
        )
        arrived, incoming, accepted = (
            formatting.format_number(n) for n in (counted.arrivals, tally.incoming, tally.accepted)
        )
        assert re.search(
            rf"{arrived} − \d+ \w+( \w+)? − \d+ \w+ = {incoming}; .*= {accepted}$", sentence
        )
        for name in ("telephony", "minutes"):
            form = files.FORMS[name]
            built = form.build(settings, busy, locale)
            assert sentence in form.as_page(built)
            assert sentence in str(form.as_workbook(built).sheets[0].notes)


def test_an_act_without_tariffs_has_no_total(busy, settings) -> None:
    def act_totals() -> tuple[str, str, object]:
        act = minutes.build_minutes_report(settings, busy, "uz_Latn")
        book = minutes.as_workbook(act)
        total = book.sheets[0].tables[0].total
        assert total is not None
        return minutes.as_page(act), str(total[-1]), minutes.as_json(act)["total"]["amount_tiyin"]

    page, cell, amount = act_totals()
    assert "Tarifsiz, summaga kirmagan" in page  # the outgoing calls
    assert cell == str(xlsx.SUM)
    assert isinstance(amount, int)
    Tariff.delete().execute()
    page, cell, amount = act_totals()
    assert page.split("Jami")[1].count('<td class="n">nomaʼlum</td>') == 1
    assert "0,00" not in page
    assert (cell, amount) == ("nomaʼlum", None)
    assert xlsx.write_workbook(
        minutes.as_workbook(minutes.build_minutes_report(settings, busy, "uz_Latn"))
    )
    Call.delete().execute()
    # no calls: the amount is zero, not unknown
    assert minutes.build_minutes_report(settings, busy, "uz_Latn").total.amount == 0
