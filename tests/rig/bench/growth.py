"""How long pages and reports take, and how that grows with the history.

Each size is a site of its own with a synthetic history at 1,000 calls a day. Times depend on the
machine; the ratios between sizes within one run do not.
"""

import datetime as dt
import shutil
import sys
import tempfile
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance.casework import catalogs
from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.people import accounts
from appliance.reports import tariffs, telephony
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.reports.telephony import callers, lines, queues, workload
from appliance.reports.telephony import calls as behind
from appliance.telephony import routing
from provisioning.local import settings_file
from tests.rig.bench import figures, history, pages, table
from tests.rig.bench.table import Row
from tests.rig.bench.timing import spent

SIZES = (10_000, 100_000, 500_000)
A_DAY = 1000
LAST = dt.date(2026, 10, 31)
MONTH = Period(dt.date(2026, 10, 1), LAST, ZoneInfo("Asia/Tashkent"))
OPERATORS = 30


def rows(sizes: tuple[int, ...] = SIZES) -> Iterator[Row]:
    """Measure every size and print the second table; what the reports of the longest cost."""
    results: dict[int, dict[str, float]] = {}
    reports: list[Row] = []
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            results[size], reports = measure(folder, size)
        finally:
            db.database.close()
            shutil.rmtree(folder)
    print(
        f"\n{'milliseconds of a processor':<64}", *(f"{size:>12,}" for size in sizes), "    times"
    )
    for name in results[sizes[0]]:
        found = [results[size][name] for size in sizes]
        ratio = found[-1] / found[0] if found[0] else 0.0
        cells = "".join(f"{value:>12.1f}" for value in found)
        print(f"{name:<64}{cells}{ratio:>9.1f}×")
    print()
    table.keep("growth", results)
    for row in reports:
        yield replace(row, what=f"{row.what}, all of {sizes[-1]:,} calls", before="up to 9 s")


def measure(folder: Path, size: int) -> tuple[dict[str, float], list[Row]]:
    """Name → milliseconds (or what it says) on a history of so many calls; its reports of all."""
    settings = make_site(folder)
    print(f"{size} calls …", file=sys.stderr)
    found: dict[str, float] = {}
    reports: list[Row] = []
    whole = Period(LAST, LAST, settings.tz)

    def filled() -> None:
        nonlocal whole
        whole = history.fill(settings, size, A_DAY, LAST)

    found["the history filled, s"] = spent(filled)
    found["database, MB"] = sum(file.stat().st_size for file in folder.glob("site.db*")) / 1e6
    for row in pages.rows(settings, LAST):
        found[row.what + (", kB" if row.unit == "kB" else "")] = row.measured
    for name, period in (("last month", MONTH), ("all", whole)):
        reports = list(figures.rows(settings, period, 1))
        for row in reports:
            found[f"{name}: {row.what}"] = row.measured
            found[f"{name}: {row.what}, times of its floor"] = row.times or 0.0
        parts = work(settings, period).items()
        found |= {f"{name}: {what}": 1000 * spent(run) for what, run in parts}
    tracemalloc.start()
    for _piece in behind.as_csv(CallFilter(MONTH), list(behind.COLUMNS)):
        pass
    found["last month: calls as CSV, peak MB"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return found, reports


def make_site(folder: Path) -> Settings:
    """An empty site with operators and a tariff; its database is open."""
    (folder / "site.toml").write_text(settings_file.scratch())
    settings = site_settings.load(folder / "site.toml")
    db.open_database(settings.paths.database)
    db.migrate()
    catalogs.seed()
    for number in range(OPERATORS):
        speaks = ("uz", "ru") if number % 3 else ("uz",)
        phone = {"extension": str(1001 + number), "speaks": speaks}
        accounts.add(f"op{number:02}", f"Operator {number}", "operator", "parol-parol", **phone)  # type: ignore[arg-type]
    tariffs.add("inbound", "minute", 15_000, dt.date(2020, 1, 1), by="bench")
    return settings


def work(settings: Settings, period: Period) -> dict[str, Callable[[], Any]]:
    """What pages and reports do over a period, part by part."""
    call_filter, level = CallFilter(period), settings.calls.service_level
    until, wrap_up = dt.datetime.now(dt.UTC), routing.wrap_ups(settings)
    return {
        "overview of the page": lambda: telephony.overview(settings, call_filter),
        "by operator": lambda: lines.lines(call_filter, level, "operator", "ru"),
        "repeat callers": lambda: callers.count(call_filter),
        "queues": lambda: queues.visits(call_filter),
        "workload": lambda: workload.count(call_filter, until, wrap_up),
        "list behind a figure": lambda: behind.page(call_filter.with_(hour=10, language="uz"), 50),
        "list by repeat callers": lambda: behind.page(call_filter.with_(times="4-"), 50),
    }
