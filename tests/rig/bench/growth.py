"""How long pages and reports take, and how that grows with the history.

Each size is its own site with a synthetic history at 1,000 calls a day. Times depend on the
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
from appliance.core import db, schema
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
from tests.rig.bench.timing import cpu_seconds

HISTORY_SIZES = (10_000, 100_000, 500_000)
CALLS_PER_DAY = 1000
LAST_DAY = dt.date(2026, 10, 31)
MONTH = Period(dt.date(2026, 10, 1), LAST_DAY, ZoneInfo("Asia/Tashkent"))
OPERATOR_COUNT = 30


def growth_rows(sizes: tuple[int, ...] = HISTORY_SIZES) -> Iterator[Row]:
    """Measure every size and print the second table; yields the rows of the longest one."""
    results: dict[int, dict[str, float]] = {}
    reports: list[Row] = []
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            results[size], reports = measure_history(folder, size)
        finally:
            db.database.close()
            shutil.rmtree(folder)
    print(
        f"\n{'milliseconds of a processor':<64}", *(f"{size:>12,}" for size in sizes), "    times"
    )
    for name in results[sizes[0]]:
        values = [results[size][name] for size in sizes]
        ratio = values[-1] / values[0] if values[0] else 0.0
        cells = "".join(f"{value:>12.1f}" for value in values)
        print(f"{name:<64}{cells}{ratio:>9.1f}×")
    print()
    table.store_results("growth", results)
    for row in reports:
        yield replace(row, what=f"{row.what}, all of {sizes[-1]:,} calls", before="up to 9 s")


def measure_history(folder: Path, size: int) -> tuple[dict[str, float], list[Row]]:
    """Figures of a history of `size` calls by name, and the rows of its reports.

    Figures are milliseconds, or in the unit that the name contains.
    """
    settings = make_site(folder)
    print(f"{size} calls …", file=sys.stderr)
    figures_by_name: dict[str, float] = {}
    reports: list[Row] = []
    full_period = Period(LAST_DAY, LAST_DAY, settings.tz)

    def fill_history() -> None:
        nonlocal full_period
        full_period = history.fill_history(settings, size, CALLS_PER_DAY, LAST_DAY)

    figures_by_name["the history filled, s"] = cpu_seconds(fill_history)
    figures_by_name["database, MB"] = (
        sum(file.stat().st_size for file in folder.glob("site.db*")) / 1e6
    )
    for row in pages.page_size_rows(settings, LAST_DAY):
        figures_by_name[row.what + (", kB" if row.unit == "kB" else "")] = row.measured
    for name, period in (("last month", MONTH), ("all", full_period)):
        reports = list(figures.report_cost_rows(settings, period, 1))
        for row in reports:
            figures_by_name[f"{name}: {row.what}"] = row.measured
            figures_by_name[f"{name}: {row.what}, times of its floor"] = row.floor_ratio or 0.0
        parts = work_parts(settings, period).items()
        figures_by_name |= {
            f"{name}: {part_name}": 1000 * cpu_seconds(run) for part_name, run in parts
        }
    tracemalloc.start()
    for _piece in behind.as_csv(CallFilter(MONTH), list(behind.COLUMNS)):
        pass
    figures_by_name["last month: calls as CSV, peak MB"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return figures_by_name, reports


def make_site(folder: Path) -> Settings:
    """An empty site with operators and a tariff; its database is open."""
    (folder / "site.toml").write_text(settings_file.scratch_settings())
    settings = site_settings.load_settings(folder / "site.toml")
    db.open_database(settings.paths.database)
    schema.apply_migrations()
    catalogs.seed_lists()
    for number in range(OPERATOR_COUNT):
        speaks = ("uz", "ru") if number % 3 else ("uz",)
        extension = str(1001 + number)
        accounts.create_account(
            f"op{number:02}",
            f"Operator {number}",
            "operator",
            "parol-parol",
            extension=extension,
            speaks=speaks,
        )
    tariffs.add_tariff("inbound", "minute", 15_000, dt.date(2020, 1, 1), by="bench")
    return settings


def work_parts(settings: Settings, period: Period) -> dict[str, Callable[[], Any]]:
    """The parts of the work that pages and reports do over a period, by name."""
    call_filter, level = CallFilter(period), settings.calls.service_level
    now, wrap_up_seconds = dt.datetime.now(dt.UTC), routing.wrap_up_rule(settings)
    return {
        "overview of the page": lambda: telephony.count_overview(settings, call_filter),
        "by operator": lambda: lines.count_lines(call_filter, level, "operator", "ru"),
        "repeat callers": lambda: callers.count_callers(call_filter),
        "queues": lambda: queues.summarize_visits(call_filter),
        "workload": lambda: workload.count_workload(call_filter, now, wrap_up_seconds),
        "list behind a figure": lambda: behind.calls_page(
            call_filter.with_conditions(hour=10, language="uz"), 50
        ),
        "list by repeat callers": lambda: behind.calls_page(
            call_filter.with_conditions(times="4-"), 50
        ),
    }
