"""Every figure of the reports equals a second, naive count of the same history."""

import datetime as dt
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from peewee import fn

from appliance import demo
from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.demo.world import load_site_profile
from appliance.models import (
    Appeal,
    CalendarDay,
    Call,
    CallForm,
    CatalogItem,
    EventRow,
    Gap,
    Presence,
    Region,
    Shift,
    ShiftPlace,
    Talk,
    User,
)
from appliance.people import staff_records
from appliance.reports import (
    call_filters,
    counting,
    minutes,
    monthly,
    periods,
    quarterly,
    tariffs,
    telephony,
)
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.telephony import calls
from provisioning.local.settings_file import scratch_settings
from tests.reports import naive, naive_rows

# includes the end of a quarter and a holiday
FIRST_DAY, LAST_DAY = (
    dt.date(2026, 9, 14),
    dt.date(2026, 10, 18),
)
WRAP_UP_SECONDS = 20
CALL_COUNT = int(os.environ.get("HISTORY_CALLS", "3000"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> Path:
    """The folder of a site with a history, to be copied."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "site.toml").write_text(scratch_settings(calls={"wrap_up": WRAP_UP_SECONDS}))
    shutil.copy(peopled, folder / "site.db")
    settings = site_settings.load_settings(folder / "site.toml")
    db.open_database(settings.paths.database)
    # The demo's history has no call in progress, so two such calls are added.
    demo.load_history(load_site_profile(settings, FIRST_DAY, LAST_DAY), CALL_COUNT, seed=11)
    with write_transaction():
        for number, stage in enumerate(("queue", "talk")):
            at = dt.datetime(2026, 10, 18, 18, number, tzinfo=dt.UTC)
            key = f"going-on.{number}"
            Call.create(id=key, direction="inbound", arrived_at=at, stage=stage, trunk="carrier")
            EventRow.create(
                hash=key, linkedid=key, at=at, event="CHAN_START", begins="from-trunk",
                fields={"LinkedID": key, "UniqueID": key, "Context": "from-trunk"},
            )  # fmt: skip
    _vary_forms()
    _lose_pages()
    tariffs.add_tariff("inbound", "second", 14_999, dt.date(2026, 1, 1), by="x")
    tariffs.add_tariff("inbound", "minute", 12_050, dt.date(2026, 9, 20), trunk="e1", by="x")
    tariffs.add_tariff("inbound", "minute", 13_007, dt.date(2026, 10, 1), number="1282", by="x")
    tariffs.add_tariff("outbound", "call", 30_000, dt.date(2026, 10, 2), by="x")
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()
    return folder


def _prepare_states() -> None:
    """Give operators shifts, one that ends and one at night, and work off the queue."""
    first, *later_operators = User.select().where(User.role == "operator").order_by(User.login)
    day = staff_records.add_shift("08:00", "20:00", dt.date(2020, 1, 1), "rustam")
    night = staff_records.add_shift("20:00", "08:00", dt.date(2020, 1, 1), "rustam")
    ShiftPlace.create(shift=day, user=first, since=dt.date(2026, 9, 1), until=dt.date(2026, 9, 20))
    ShiftPlace.create(shift=night, user=first, since=dt.date(2026, 9, 21))
    for user in later_operators:
        ShiftPlace.create(shift=day, user=user, since=dt.date(2026, 9, 25))
    back_office_rows = Presence.state == "pause", fn.MOD(Presence.id, 5) == 0
    Presence.update(state="back_office", reason="").where(*back_office_rows).execute()
    rows_without_reason = Presence.state == "pause", fn.MOD(Presence.id, 7) == 0
    Presence.update(reason="").where(*rows_without_reason).execute()


def _vary_forms() -> None:
    """Create calls without form №2, and forms that are empty or differ from the appeal."""

    def one_in(table: type[Appeal | CallForm], of: int, rest: int = 0) -> Any:
        return fn.MOD(table.id, of) == rest

    CallForm.delete().where(one_in(CallForm, 7)).execute()
    for number, column in enumerate(("direction", "call_type", "call_direction")):
        CallForm.update({column: ""}).where(one_in(CallForm, 5, number)).execute()
    CallForm.update(region=None).where(one_in(CallForm, 5, 3)).execute()
    CallForm.update(direction="other").where(one_in(CallForm, 11)).execute()
    CallForm.update(call_type="complaint").where(one_in(CallForm, 13)).execute()
    CallForm.update(call_type="proposal").where(one_in(CallForm, 17)).execute()
    Appeal.update(appeal_type="").where(one_in(Appeal, 5)).execute()
    Appeal.update(call_type="question").where(one_in(Appeal, 2)).execute()


ONE_SECOND = dt.timedelta(seconds=1)


def _lose_pages() -> None:
    """Add gaps as if the pages of some operators had been reloaded in the middle of a talk."""
    for talk in Talk.select().where(fn.MOD(Talk.id, 9) == 0, Talk.ended_at.is_null(False)):
        quarter = dt.timedelta(seconds=(talk.ended_at - talk.started_at) // (4 * ONE_SECOND))
        for begin in (talk.started_at + quarter, talk.ended_at - quarter):
            Gap.create(talk=talk, started_at=begin, ended_at=begin + quarter)


@pytest.fixture
def history(loaded: Path, tmp_path: Path):
    """The settings of a site with that history; its database is open."""
    for name in ("site.toml", "site.db"):
        shutil.copy(loaded / name, tmp_path / name)
    settings = site_settings.load_settings(tmp_path / "site.toml")
    db.open_database(settings.paths.database)
    yield settings
    db.database.close()


def site_period(settings: Settings, first: dt.date = FIRST_DAY, last: dt.date = LAST_DAY) -> Period:
    return Period(first, last, settings.tz)


def exported_calls(report_period: Period) -> list[dict[str, Any]]:
    return list(calls.export_calls(report_period.begin, report_period.end))


def appeal_rows() -> list[dict[str, Any]]:
    names = (
        *("number", "call_id", "region", "direction", "appeal_type", "call_type"),
        "received_at",
    )
    columns = [getattr(Appeal, name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in Appeal.select(*columns).tuples()]


def form_rows() -> list[dict[str, Any]]:
    names = ("number", "call_id", "region", "direction", "call_type", "call_direction")
    columns = [getattr(CallForm, name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in CallForm.select(*columns).tuples()]


def state_rows() -> list[tuple[str, dt.datetime, str, str]]:
    rows = Presence.select(User.login, Presence.since, Presence.state, Presence.reason).join(User)
    return list(rows.order_by(Presence.since, Presence.id).tuples())


def shift_rows() -> list[tuple[str, str, str, dt.date, dt.date | None]]:
    rows = ShiftPlace.select(
        User.login, Shift.opens, Shift.closes, ShiftPlace.since, ShiftPlace.until
    )
    return list(rows.join_from(ShiftPlace, User).join_from(ShiftPlace, Shift).tuples())


def report_figures(settings: Settings, call_filter: CallFilter) -> dict[str, Any]:
    """Return the report as JSON, its lines by key, without names and shares."""
    figures = telephony.as_json(telephony.build_telephony_report(settings, call_filter, "uz_Cyrl"))
    for name in call_filters.DIMENSION_NAMES:
        lines = figures[f"by_{name}"]
        shares = naive.percentages([line["incoming"] for line in lines])
        assert [line.pop("share") for line in lines] == shares
        figures[f"by_{name}"] = {line.pop("key"): line for line in lines if line.pop("name")}
    return figures


def assert_same(actual: Any, expected: Any, where: str) -> None:
    """Assert that both are equal at all levels; floats may differ by a billionth."""
    if isinstance(expected, dict):
        assert set(actual) == set(expected), where
        for key in expected:
            assert_same(actual[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(actual) == len(expected), where
        for number, (item, expected_item) in enumerate(zip(actual, expected, strict=True)):
            assert_same(item, expected_item, f"{where}[{number}]")
    elif isinstance(expected, float):
        assert actual == pytest.approx(expected, rel=1e-9, abs=1e-6), where
    else:
        assert actual == expected, where


HEAD_KEYS = ("period", "asked", "formulas", "service_level_seconds", "balance")
FILTER_CASES: list[tuple[dict[str, str], Any]] = [
    ({}, lambda row: True),
    ({"language": "uz"}, lambda row: row["language"] == "uz"),
    ({"number": "1282", "trunk": "e1"}, lambda row: not row["diverted_from"] and row["trunk"] == "e1"),  # noqa: E501
    ({"hour": "10", "weekday": "1"}, lambda row: (naive_rows.local_arrival(row).hour, naive_rows.local_arrival(row).isoweekday()) == (10, 1)),  # noqa: E501
    ({"outcome": "missed", "wait": "20-"}, lambda row: row["outcome"] not in (None, "answered") and (row["wait_seconds"] or 0) > 20),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(
    ("conditions", "is_selected"),
    FILTER_CASES,
    ids=[str(conditions) for conditions, _ in FILTER_CASES],
)
def test_telephony_equals_the_naive_count(history, conditions, is_selected) -> None:
    _prepare_states()
    report_period = site_period(history)
    figures = report_figures(history, CallFilter(report_period, conditions))
    for name in HEAD_KEYS:
        figures.pop(name)
    level = history.calls.service_level
    rows = exported_calls(report_period)
    source_rows = appeal_rows(), form_rows(), state_rows(), shift_rows(), WRAP_UP_SECONDS
    expected = naive.telephony_figures(
        rows, *source_rows, level, report_period.begin, report_period.end, is_selected
    )
    assert_same(figures, expected, "telephony")
    assert expected["total"]["incoming"] > 3
    busy = expected["workload"]
    for name in ("wrap_up_seconds", "back_office_seconds", "kept_seconds"):
        assert any(line[name] > 0 for line in busy)
    assert {reason for line in busy for reason in line["pause_reasons"]} == {"", "break", "lunch"}


def test_minutes_equal_the_ledger_row_by_row(history) -> None:
    report_period = site_period(history)
    tariff_rows = [
        {name: getattr(t, name) for name in ("id", "direction", "trunk", "number", "rounding")}
        | {"price": t.price, "from": t.valid_from, "to": t.valid_to}
        for t in tariffs.all_tariffs()
    ]
    expected = naive.act_lines(exported_calls(report_period), tariff_rows)
    report = minutes.build_minutes_report(history, report_period, "ru")
    figures = {
        (line.direction, line.trunk, line.number, line.tariff.id if line.tariff else None): [
            line.calls,
            pytest.approx(line.talk_seconds),
            line.billed_seconds,
            line.amount or 0,
        ]
        for line in report.lines
    }
    assert figures == expected
    assert any(key[3] is None for key in expected)
    rows = list(minutes.iterate_billed_calls(report_period))
    assert sum(row.amount or 0 for row in rows) == report.total.amount
    assert sum(row.billed_seconds for row in rows) == report.total.billed_seconds
    assert len(rows) == report.total.calls


@pytest.mark.parametrize("month", ["2026-09", "2026-10"])
def test_the_monthly_report_equals_the_naive_count(history, month) -> None:
    report_period = periods.parse_month(month, history.tz)
    off = {day.date: day.working for day in CalendarDay.select()}
    report = monthly.as_json(monthly.build_monthly_report(history, report_period, "ru"))
    rows = exported_calls(report_period)
    incoming = [naive_rows.local_arrival(row) for row in rows if naive_rows.is_incoming(row)]
    received = [
        a["received_at"].astimezone(naive_rows.SITE_ZONE)
        for a in appeal_rows()
        if report_period.begin <= a["received_at"] < report_period.end
    ]
    for name, moments in (("calls", incoming), ("appeals", received)):
        table = naive.weekday_table(moments, off)
        lines = report[f"{name}_by_weekday"]
        assert [[line["inside"] or 0, line["outside"] or 0] for line in lines] == table
        for column, half in enumerate(("inside", "outside")):
            shares = naive.percentages([row[column] for row in table])
            assert [line[f"{half}_share"] for line in lines] == shares
    these = [
        a for a in appeal_rows() if report_period.begin <= a["received_at"] < report_period.end
    ]
    regions = [r.soato for r in Region.select().order_by(Region.position)]
    directions = CatalogItem.select().where(CatalogItem.catalog == "direction")
    orders = {
        "region": (regions, "soato"),
        "direction": ([d.code for d in directions.order_by(CatalogItem.position)], "code"),
    }
    for column, (order, key) in orders.items():
        lines = report[f"appeals_by_{column}"]
        rows_of_list = [[line[key], line["count"], line["share"]] for line in lines]
        assert rows_of_list == naive.list_lines(these, column, order), column
        assert sum(line[1] for line in rows_of_list) == len(received) > 100
    assert_same(report["call_forms"], naive.form_share(rows, form_rows()), "call_forms")
    assert 70 < report["call_forms"]["share"] < 85
    outcomes = report["balance"]["outcomes"]
    assert report["balance"]["difference"] == 0
    inbound = [row for row in rows if row["direction"] == "inbound"]
    assert sum(outcomes.values()) + report["balance"]["open"] == len(inbound)


@pytest.mark.parametrize("quarter", ["2026-Q3", "2026-Q4"])
def test_the_quarterly_report_equals_the_naive_count(history, quarter) -> None:
    report_period = periods.parse_quarter(quarter, history.tz)
    report = quarterly.as_json(quarterly.build_quarterly_report(history, report_period, "ru"))
    later = list(calls.export_calls(report_period.begin, report_period.end + dt.timedelta(days=7)))
    figures = {k: v for k, v in report["calls"].items()}
    expected = naive.quarterly_figures(exported_calls(report_period), later)
    for name, value in expected.items():
        assert figures.pop(name) == pytest.approx(value, abs=0.001), name
    assert figures == {}
    assert expected["recovered"] > 5


@pytest.mark.parametrize(
    "shifts",
    [
        [("08:00", "20:00"), ("20:00", "08:00")],
        [
            ("00:00", "06:00"),
            ("06:00", "14:00"),
            ("12:00", "22:30"),
        ],  # hours of two shifts, and of no shift
        [],
    ],
)
def test_the_shifts_equal_the_naive_count(history, shifts) -> None:
    for opens, closes in shifts:
        staff_records.add_shift(opens, closes, FIRST_DAY, "x")
    report_period = periods.parse_quarter("2026-Q4", history.tz)
    rows = quarterly.build_quarterly_report(history, report_period, "ru").intervals
    expected = naive.shift_counts(exported_calls(report_period), shifts)
    if len(rows) == len(shifts):
        assert expected.pop() == [0, 0]
    assert [[row.incoming, row.accepted] for row in rows] == expected


def test_the_outcomes_add_up_to_the_arrivals(history) -> None:
    report_period = site_period(history)
    report = telephony.build_telephony_report(history, CallFilter(report_period), "ru")
    assert report.balance.difference == 0
    assert report.balance.arrivals == CALL_COUNT + 2
    assert report.balance.open == report.total.open == 2
    missed = sum(
        counting.count_all(CallFilter(report_period, {"outcome": outcome}), 20.0).incoming
        for outcome in calls.INBOUND_CODES
        if outcome not in ("answered", "rejected")
    )
    assert report.total.missed == missed


def test_splitting_a_period_at_any_day_adds_up(history) -> None:
    total = counting.count_all(CallFilter(site_period(history)), 20.0)
    for day in site_period(history).days[:-1]:
        parts = [
            counting.count_all(CallFilter(site_period(history, *days)), 20.0)
            for days in ((FIRST_DAY, day), (day + dt.timedelta(days=1), LAST_DAY))
        ]
        assert_same(vars(parts[0] + parts[1]), vars(total), str(day))


def test_the_order_of_ingestion_changes_nothing(tmp_path, peopled) -> None:
    """The same rows, inserted in another order, parents before children."""
    reports = []
    for number, chance in enumerate((None, random.Random(3))):  # noqa: S311
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "site.toml").write_text(scratch_settings())
        shutil.copy(peopled, folder / "site.db")
        settings = site_settings.load_settings(folder / "site.toml")
        db.open_database(settings.paths.database)
        world = load_site_profile(settings, FIRST_DAY, FIRST_DAY + dt.timedelta(days=6))
        by_table: dict[Any, list[dict[str, Any]]] = {}
        for batch in demo.history_rows(world, 500, seed=4):
            for table, rows in batch.items():
                by_table.setdefault(table, []).extend(rows)
        with write_transaction():
            for table, rows in by_table.items():
                if chance and table is not Presence:  # its order is the order of the choices
                    chance.shuffle(rows)
                for begin in range(0, len(rows), 500):
                    table.insert_many(rows[begin : begin + 500]).execute()
        call_filter = CallFilter(site_period(settings, world.first, world.last), {"times": "2-"})
        report = replace(
            telephony.build_telephony_report(settings, call_filter, "ru"), made_at=FIRST_DAY
        )
        reports.append(telephony.as_json(report))
        db.database.close()
    assert reports[0]["total"]["incoming"] > 50
    assert_same(reports[1], reports[0], "telephony")
