"""`./run bench`: how long pages and reports take, and how that grows with the history.

Each size is a site of its own with a synthetic history at 1,000 calls a day. Times depend on the
machine; the ratios between sizes within one run do not.
"""

import datetime as dt
import json
import shutil
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from appliance import demo
from appliance.casework import catalogs
from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.settings import Settings
from appliance.demo.world import of_site
from appliance.people import accounts
from appliance.reports import call_filters, capacity, files, minutes, monthly, tariffs, telephony
from appliance.reports.call_filters import CallFilter
from appliance.reports.periods import Period
from appliance.reports.telephony import callers, lines, queues, workload
from appliance.reports.telephony import calls as behind
from appliance.telephony import calls, routing
from provisioning.local import settings_file

SIZES = (2_000, 10_000, 50_000)
A_DAY = 1000
LAST = dt.date(2026, 10, 31)
MONTH = Period(dt.date(2026, 10, 1), LAST, ZoneInfo("Asia/Tashkent"))
OPERATORS = 30
RESULTS = Path("bench/latest.json")


def main(sizes: tuple[int, ...]) -> None:
    """Measure every size, print the table, keep the results."""
    results = {}
    for size in sizes:
        folder = Path(tempfile.mkdtemp(prefix="bench-"))
        try:
            results[size] = measure(folder, size)
        finally:
            db.database.close()
            shutil.rmtree(folder)
    for name in results[sizes[0]]:
        found = [results[size][name] for size in sizes]
        ratio = found[-1] / found[0] if found[0] else 0.0
        cells = "".join(f"{value:>12.3f}" for value in found)
        print(f"{name:<34}{cells}{ratio:>9.1f}×")
    RESULTS.parent.mkdir(exist_ok=True)
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    known |= {str(size): found for size, found in results.items()}
    RESULTS.write_text(json.dumps(known, indent=1))


def measure(folder: Path, size: int) -> dict[str, float]:
    """Name → seconds (or megabytes, where it says so) on a history of so many calls."""
    settings = make_site(folder)
    first = LAST - dt.timedelta(days=max(1, size // A_DAY) - 1)
    whole, month = Period(first, LAST, settings.tz), MONTH
    print(f"{size} calls …", file=sys.stderr)
    found = {"load": timed(lambda: demo.load(of_site(settings, first, LAST), size, 1))}
    found["database, MB"] = sum(file.stat().st_size for file in folder.glob("site.db*")) / 1e6
    for name, period in (("month", month), ("all", whole)):
        found |= {f"{name}: {what}": timed(run) for what, run in work(settings, period).items()}
    tracemalloc.start()
    for _piece in behind.as_csv(CallFilter(whole), list(behind.COLUMNS)):
        pass
    found["all: calls as CSV, peak MB"] = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return found


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
    """What pages and reports do over a period."""
    call_filter, level = CallFilter(period), settings.calls.service_level
    until, wrap_up = dt.datetime.now(dt.UTC), routing.wrap_ups(settings)
    return {
        "balance": lambda: calls.balance(period.begin, period.end),
        "overview of the page": lambda: telephony.overview(settings, call_filter),
        **{
            f"by {key}": lambda key=key: lines.lines(call_filter, level, key, "ru")  # type: ignore[misc]
            for key in call_filters.KEYS
        },
        "repeat callers": lambda: callers.count(call_filter),
        "queues": lambda: queues.visits(call_filter),
        "transfers": lambda: queues.handed(call_filter),
        "workload": lambda: workload.count(call_filter, until, wrap_up),
        "list behind a figure": lambda: behind.page(call_filter.with_(hour=10, language="uz"), 50),
        "list by repeat callers": lambda: behind.page(call_filter.with_(times="4-"), 50),
        "calls as CSV": lambda: sum(
            len(p) for p in behind.as_csv(call_filter, list(behind.COLUMNS))
        ),
        "telephony report, workbook": lambda: files.render(
            "telephony", telephony.build(settings, call_filter, "ru"), "xlsx"
        ),
        "monthly report": lambda: monthly.build(settings, period, "ru"),
        "minutes": lambda: minutes.build(settings, period, "ru"),
        "capacity": lambda: capacity.count(period, level),
    }


def timed(run: Callable[[], Any]) -> float:
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


if __name__ == "__main__":
    main(tuple(int(size) for size in sys.argv[1:]) or SIZES)
