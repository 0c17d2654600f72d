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
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.demo.world import of_site
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
from provisioning.local.settings_file import scratch
from tests.reports import naive

FIRST, LAST = dt.date(2026, 9, 14), dt.date(2026, 10, 18)  # a quarter's end, a holiday
WRAP_UP = 20  # seconds
CALLS = int(os.environ.get("HISTORY_CALLS", "3000"))


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> Path:
    """A site's folder with a history, to be copied."""
    folder = tmp_path_factory.mktemp("history")
    (folder / "site.toml").write_text(scratch(calls={"wrap_up": WRAP_UP}))
    shutil.copy(peopled, folder / "site.db")
    settings = site_settings.load(folder / "site.toml")
    db.open_database(settings.paths.database)
    # Few test calls of one night that nobody took, so that calls that go on are there as well.
    demo.load(of_site(settings, FIRST, LAST), CALLS, seed=11)
    with writing():
        for number, stage in enumerate(("queue", "talk")):
            at = dt.datetime(2026, 10, 18, 18, number, tzinfo=dt.UTC)
            key = f"going-on.{number}"
            Call.create(id=key, direction="inbound", arrived_at=at, stage=stage, trunk="carrier")
            EventRow.create(
                hash=key, linkedid=key, at=at, event="CHAN_START", begins="from-trunk",
                fields={"LinkedID": key, "UniqueID": key, "Context": "from-trunk"},
            )  # fmt: skip
    _older()
    _lose_pages()
    tariffs.add("inbound", "second", 14_999, dt.date(2026, 1, 1), by="x")
    tariffs.add("inbound", "minute", 12_050, dt.date(2026, 9, 20), trunk="e1", by="x")
    tariffs.add("inbound", "minute", 13_007, dt.date(2026, 10, 1), number="1282", by="x")
    tariffs.add("outbound", "call", 30_000, dt.date(2026, 10, 2), by="x")
    db.database.execute_sql("PRAGMA wal_checkpoint(TRUNCATE)")
    db.database.close()
    return folder


def _states() -> None:
    """Shifts of some operators, one that ends and one by night; work off the queue."""
    first, *others = User.select().where(User.role == "operator").order_by(User.login)
    day = staff_records.add_shift("08:00", "20:00", dt.date(2020, 1, 1), "rustam")
    night = staff_records.add_shift("20:00", "08:00", dt.date(2020, 1, 1), "rustam")
    ShiftPlace.create(shift=day, user=first, since=dt.date(2026, 9, 1), until=dt.date(2026, 9, 20))
    ShiftPlace.create(shift=night, user=first, since=dt.date(2026, 9, 21))
    for user in others:
        ShiftPlace.create(shift=day, user=user, since=dt.date(2026, 9, 25))
    some = Presence.state == "pause", fn.MOD(Presence.id, 5) == 0
    Presence.update(state="back_office", reason="").where(*some).execute()
    told = Presence.state == "pause", fn.MOD(Presence.id, 7) == 0
    Presence.update(reason="").where(*told).execute()


def _older() -> None:
    """Calls without form №2, forms that say nothing or something else than the appeal."""

    def one_in(table: type[Appeal | CallForm], of: int, rest: int = 0) -> Any:
        return fn.MOD(table.id, of) == rest

    CallForm.delete().where(one_in(CallForm, 7)).execute()
    for number, column in enumerate(("direction", "call_type", "call_direction")):
        CallForm.update({column: ""}).where(one_in(CallForm, 5, number)).execute()
    CallForm.update(region=None).where(one_in(CallForm, 5, 3)).execute()
    CallForm.update(direction="other").where(one_in(CallForm, 11)).execute()
    Appeal.update(call_type="question").where(one_in(Appeal, 2)).execute()


SECOND = dt.timedelta(seconds=1)


def _lose_pages() -> None:
    """The pages of some operators were loaded anew in the middle of a talk."""
    for talk in Talk.select().where(fn.MOD(Talk.id, 9) == 0, Talk.ended_at.is_null(False)):
        quarter = dt.timedelta(seconds=(talk.ended_at - talk.started_at) // (4 * SECOND))
        for begin in (talk.started_at + quarter, talk.ended_at - quarter):
            Gap.create(talk=talk, started_at=begin, ended_at=begin + quarter)


@pytest.fixture
def history(loaded: Path, tmp_path: Path):
    """The settings of a site with that history; its database is open."""
    for name in ("site.toml", "site.db"):
        shutil.copy(loaded / name, tmp_path / name)
    settings = site_settings.load(tmp_path / "site.toml")
    db.open_database(settings.paths.database)
    yield settings
    db.database.close()


def period(settings: Settings, first: dt.date = FIRST, last: dt.date = LAST) -> Period:
    return Period(first, last, settings.tz)


def exported(of: Period) -> list[dict[str, Any]]:
    return list(calls.export(of.begin, of.end))


def appeals() -> list[dict[str, Any]]:
    names = ("number", "call_id", "region", "direction", "call_type", "received_at")
    columns = [getattr(Appeal, name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in Appeal.select(*columns).tuples()]


def forms() -> list[dict[str, Any]]:
    names = ("number", "call_id", "region", "direction", "call_type", "call_direction")
    columns = [getattr(CallForm, name) for name in names]
    return [dict(zip(names, row, strict=True)) for row in CallForm.select(*columns).tuples()]


def states() -> list[tuple[str, dt.datetime, str, str]]:
    rows = Presence.select(User.login, Presence.since, Presence.state, Presence.reason).join(User)
    return list(rows.order_by(Presence.since, Presence.id).tuples())


def shifts() -> list[tuple[str, str, str, dt.date, dt.date | None]]:
    rows = ShiftPlace.select(
        User.login, Shift.opens, Shift.closes, ShiftPlace.since, ShiftPlace.until
    )
    return list(rows.join_from(ShiftPlace, User).join_from(ShiftPlace, Shift).tuples())


def counted(settings: Settings, call_filter: CallFilter) -> dict[str, Any]:
    """The report as JSON, its lines by key, without names and shares."""
    told = telephony.as_json(telephony.build(settings, call_filter, "uz_Cyrl"))
    for name in call_filters.KEYS:
        lines = told[f"by_{name}"]
        shares = naive.percentages([line["incoming"] for line in lines])
        assert [line.pop("share") for line in lines] == shares
        told[f"by_{name}"] = {line.pop("key"): line for line in lines if line.pop("name")}
    return told


def same(found: Any, expected: Any, where: str) -> None:
    """Equal all the way down; sums of fractions to a billionth."""
    if isinstance(expected, dict):
        assert set(found) == set(expected), where
        for key in expected:
            same(found[key], expected[key], f"{where}.{key}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), where
        for number, (one, other) in enumerate(zip(found, expected, strict=True)):
            same(one, other, f"{where}[{number}]")
    elif isinstance(expected, float):
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-6), where
    else:
        assert found == expected, where


HEAD = ("period", "asked", "formulas", "service_level_seconds", "balance")
ASKED: list[tuple[dict[str, str], Any]] = [
    ({}, lambda row: True),
    ({"language": "uz"}, lambda row: row["language"] == "uz"),
    ({"number": "1282", "trunk": "e1"}, lambda row: not row["diverted_from"] and row["trunk"] == "e1"),  # noqa: E501
    ({"hour": "10", "weekday": "1"}, lambda row: (naive.local(row).hour, naive.local(row).isoweekday()) == (10, 1)),  # noqa: E501
    ({"outcome": "missed", "wait": "20-"}, lambda row: row["outcome"] not in (None, "answered") and (row["wait_seconds"] or 0) > 20),  # noqa: E501
]  # fmt: skip


@pytest.mark.parametrize(("asked", "wanted"), ASKED, ids=[str(asked) for asked, _ in ASKED])
def test_telephony_equals_the_naive_count(history, asked, wanted) -> None:
    _states()
    of = period(history)
    found = counted(history, CallFilter(of, asked))
    for name in HEAD:
        found.pop(name)
    level = history.calls.service_level
    rows = exported(of)
    told = appeals(), forms(), states(), shifts(), WRAP_UP
    expected = naive.telephony(rows, *told, level, of.begin, of.end, wanted)
    same(found, expected, "telephony")
    assert expected["total"]["incoming"] > 3
    busy = expected["workload"]
    for name in ("wrap_up_seconds", "back_office_seconds", "kept_seconds"):
        assert any(line[name] > 0 for line in busy)
    assert {reason for line in busy for reason in line["pause_reasons"]} == {"", "break", "lunch"}


def test_minutes_equal_the_ledger_row_by_row(history) -> None:
    of = period(history)
    known = [
        {name: getattr(t, name) for name in ("id", "direction", "trunk", "number", "rounding")}
        | {"price": t.price, "from": t.valid_from, "to": t.valid_to}
        for t in tariffs.every()
    ]
    expected = naive.act(exported(of), known)
    made = minutes.build(history, of, "ru")
    found = {
        (line.direction, line.trunk, line.number, line.tariff.id if line.tariff else None): [
            line.calls,
            pytest.approx(line.talk_seconds),
            line.billed_seconds,
            line.amount or 0,
        ]
        for line in made.lines
    }
    assert found == expected
    assert any(key[3] is None for key in expected)
    rows = list(minutes.rows(of))
    assert sum(row.amount or 0 for row in rows) == made.total.amount
    assert sum(row.billed_seconds for row in rows) == made.total.billed_seconds
    assert len(rows) == made.total.calls


@pytest.mark.parametrize("month", ["2026-09", "2026-10"])
def test_the_monthly_report_equals_the_naive_count(history, month) -> None:
    of = periods.month(month, history.tz)
    off = {day.date: day.working for day in CalendarDay.select()}
    report = monthly.as_json(monthly.build(history, of, "ru"))
    rows = exported(of)
    incoming = [naive.local(row) for row in rows if naive.is_incoming(row)]
    received = [
        a["received_at"].astimezone(naive.SITE)
        for a in appeals()
        if of.begin <= a["received_at"] < of.end
    ]
    for name, moments in (("calls", incoming), ("appeals", received)):
        table = naive.weekdays(moments, off)
        lines = report[f"{name}_by_weekday"]
        assert [[line["inside"] or 0, line["outside"] or 0] for line in lines] == table
        for column, half in enumerate(("inside", "outside")):
            shares = naive.percentages([row[column] for row in table])
            assert [line[f"{half}_share"] for line in lines] == shares
    these = [a for a in appeals() if of.begin <= a["received_at"] < of.end]
    regions = [r.soato for r in Region.select().order_by(Region.position)]
    directions = CatalogItem.select().where(CatalogItem.catalog == "direction")
    orders = {
        "region": (regions, "soato"),
        "direction": ([d.code for d in directions.order_by(CatalogItem.position)], "code"),
    }
    for column, (order, key) in orders.items():
        lines = report[f"appeals_by_{column}"]
        told = [[line[key], line["count"], line["share"]] for line in lines]
        assert told == naive.listed(these, column, order), column
        assert sum(line[1] for line in told) == len(received) > 100
    same(report["call_forms"], naive.call_forms(rows, forms()), "call_forms")
    assert 70 < report["call_forms"]["share"] < 85
    outcomes = report["balance"]["outcomes"]
    assert report["balance"]["difference"] == 0
    inbound = [row for row in rows if row["direction"] == "inbound"]
    assert sum(outcomes.values()) + report["balance"]["open"] == len(inbound)


@pytest.mark.parametrize("quarter", ["2026-Q3", "2026-Q4"])
def test_the_quarterly_report_equals_the_naive_count(history, quarter) -> None:
    of = periods.quarter(quarter, history.tz)
    report = quarterly.as_json(quarterly.build(history, of, "ru"))
    later = list(calls.export(of.begin, of.end + dt.timedelta(days=7)))
    found = {k: v for k, v in report["calls"].items()}
    expected = naive.quarterly(exported(of), later)
    for name, value in expected.items():
        assert found.pop(name) == pytest.approx(value, abs=0.001), name
    assert found == {}
    assert expected["recovered"] > 5


@pytest.mark.parametrize(
    "shifts",
    [
        [("08:00", "20:00"), ("20:00", "08:00")],
        [("00:00", "06:00"), ("06:00", "14:00"), ("12:00", "22:30")],  # hours of two, and of none
        [],
    ],
)
def test_the_shifts_equal_the_naive_count(history, shifts) -> None:
    for opens, closes in shifts:
        staff_records.add_shift(opens, closes, FIRST, "x")
    of = periods.quarter("2026-Q4", history.tz)
    rows = quarterly.build(history, of, "ru").intervals
    expected = naive.in_shifts(exported(of), shifts)
    if len(rows) == len(shifts):
        assert expected.pop() == [0, 0]
    assert [[row.incoming, row.accepted] for row in rows] == expected


def test_the_outcomes_add_up_to_the_arrivals(history) -> None:
    of = period(history)
    report = telephony.build(history, CallFilter(of), "ru")
    assert report.balance.difference == 0
    assert report.balance.arrivals == CALLS + 2
    assert report.balance.open == report.total.open == 2
    missed = sum(
        counting.whole(CallFilter(of, {"outcome": outcome}), 20.0).incoming
        for outcome in calls.OUTCOMES
        if outcome not in ("answered", "rejected")
    )
    assert report.total.missed == missed


def test_splitting_a_period_at_any_day_adds_up(history) -> None:
    whole = counting.whole(CallFilter(period(history)), 20.0)
    for day in period(history).days[:-1]:
        parts = [
            counting.whole(CallFilter(period(history, *days)), 20.0)
            for days in ((FIRST, day), (day + dt.timedelta(days=1), LAST))
        ]
        same(vars(parts[0] + parts[1]), vars(whole), str(day))


def test_the_order_of_ingestion_changes_nothing(tmp_path, peopled) -> None:
    """The same rows, written down in another order, parents before children."""
    told = []
    for number, chance in enumerate((None, random.Random(3))):  # noqa: S311
        folder = tmp_path / str(number)
        folder.mkdir()
        (folder / "site.toml").write_text(scratch())
        shutil.copy(peopled, folder / "site.db")
        settings = site_settings.load(folder / "site.toml")
        db.open_database(settings.paths.database)
        world = of_site(settings, FIRST, FIRST + dt.timedelta(days=6))
        by_table: dict[Any, list[dict[str, Any]]] = {}
        for batch in demo.rows(world, 500, seed=4):
            for table, rows in batch.items():
                by_table.setdefault(table, []).extend(rows)
        with writing():
            for table, rows in by_table.items():
                if chance and table is not Presence:  # its order is that of the choices
                    chance.shuffle(rows)
                for begin in range(0, len(rows), 500):
                    table.insert_many(rows[begin : begin + 500]).execute()
        call_filter = CallFilter(period(settings, world.first, world.last), {"times": "2-"})
        report = replace(telephony.build(settings, call_filter, "ru"), made_at=FIRST)
        told.append(telephony.as_json(report))
        db.database.close()
    assert told[0]["total"]["incoming"] > 50
    same(told[1], told[0], "telephony")
