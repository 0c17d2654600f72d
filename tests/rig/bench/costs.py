"""What the appliance costs without calls: ingesting a log, saves, reports, lists, commands.

Seconds are those of a processor, so that a busy machine gives the same figures; the duration of a
save is elapsed time, with and without a catch-up at the same time.
"""

import csv
import gc
import statistics
import subprocess
import sys
import time
import unittest.mock
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from appliance.core import audit, db, schema, sqlite
from appliance.pbx import ledger
from appliance.pbx.ledger import reading
from tests.rig import logs
from tests.rig.bench import figures, growth, history, pages
from tests.rig.bench.table import Row
from tests.rig.bench.timing import cpu_seconds
from tests.rig.rules import RULES

SMALL_LOG_CALLS = 2_000
HISTORY_CALLS, CALLS_PER_DAY = 15_000, 500  # calls in the history from which reports are built
SAVE_COUNT = 200
SECONDS_BETWEEN_SAVES = 0.02
_CATCH_UP_PROGRAM = """
import sys
from pathlib import Path
from appliance.core import db
from appliance.pbx import ledger
from tests.rig.rules import RULES
db.open_database(Path(sys.argv[1]))
ledger.read_log(Path(sys.argv[2]), RULES, growing=False)
"""


def cost_rows(folder: Path, calls: int) -> Iterator[Row]:
    """Every figure of this benchmark; builds what it measures in a folder.

    `calls`: the number of ingested calls.
    """
    yield from command_rows()
    yield from ingest_rows(folder, event_log(folder, calls), calls)
    log = event_log(folder, SMALL_LOG_CALLS)
    yield from lock_rows(folder, log)
    yield from save_rows(folder, log)
    yield from report_rows(folder / "site")


def event_log(folder: Path, calls: int) -> Path:
    """A log of `calls` calls."""
    log = folder / f"events-{calls}.csv"
    if not log.exists():
        logs.write_log(log, calls)
    return log


def ingest_rows(folder: Path, log: Path, calls: int) -> Iterator[Row]:
    """A log ingested into the ledger, compared with the fastest way to store it.

    That way is csv and executemany into a table without an index.
    """
    _open_migrated(folder / "ingest.db")
    gc.freeze()  # as the commands do
    seconds = cpu_seconds(lambda: ledger.read_log(log, RULES, growing=False))
    db.database.close()
    floor_seconds = cpu_seconds(lambda: _insert_plainly(folder / "floor.db", log))
    title, rate = f"a log of {calls:,} calls taken in, a second", calls / seconds
    yield Row(title, rate, "", calls / floor_seconds, 12.0, least=True, before="113, 101×")
    yield Row("  calls a second", rate, "", aim=1000.0, least=True)


def _insert_plainly(file: Path, log: Path) -> None:
    connection = sqlite.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute(f"CREATE TABLE record ({', '.join(f'c{n}' for n in range(18))})")
    connection.execute("BEGIN")
    with log.open(newline="") as stream:
        statement = f"INSERT INTO record VALUES ({', '.join('?' * 18)})"  # noqa: S608
        connection.executemany(statement, csv.reader(stream))
    connection.execute("COMMIT")
    connection.close()


def lock_rows(folder: Path, log: Path) -> Iterator[Row]:
    """How long the write lock is held at a time while a log is ingested, in milliseconds."""
    _open_migrated(folder / "steps.db")
    durations_ms: list[float] = []
    take_calls = reading._store_calls

    def time_step(*arguments: Any) -> None:
        durations_ms.append(1000 * cpu_seconds(lambda: take_calls(*arguments)))

    with unittest.mock.patch.object(reading, "_store_calls", time_step):
        ledger.read_log(log, RULES, growing=False)
    db.database.close()
    yield from _spread_rows("a step of it under the write lock", durations_ms)


def report_rows(folder: Path) -> Iterator[Row]:
    """Each report of a month of HISTORY_CALLS calls, and pages that show lists."""
    folder.mkdir()
    settings = growth.make_site(folder)
    history.fill_history(settings, HISTORY_CALLS, CALLS_PER_DAY, growth.LAST_DAY)
    yield from figures.report_cost_rows(settings, growth.MONTH)
    yield from pages.page_size_rows(settings, growth.LAST_DAY)
    db.database.close()


def command_rows() -> Iterator[Row]:
    """`appliance --help`, compared with a program that only imports click."""
    help_seconds = _child_cpu_seconds("from appliance.cli import main; main()", "--help")
    import_seconds = _child_cpu_seconds("import click", "")
    yield Row("appliance --help", help_seconds, "s", aim=0.25, before="1.2 s")
    yield Row("import click", import_seconds, "s")


def _child_cpu_seconds(code: str, *arguments: str) -> float:
    program = "import time; " + code.replace("main()", "sys.exit = print; main()")
    preamble = "import sys, atexit, time; atexit.register(lambda: print(time.process_time()))\n"
    command = [sys.executable, "-c", preamble + program, *arguments]
    process = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(process.stdout.split()[-1])


def save_rows(folder: Path, log: Path) -> Iterator[Row]:
    """The elapsed time of a save, alone and while another process ingests the log."""
    file = folder / "saves.db"
    _open_migrated(file)
    idle_times = [_save_ms() for _ in range(SAVE_COUNT)]
    catch_up = subprocess.Popen([sys.executable, "-c", _CATCH_UP_PROGRAM, file, log])
    busy_times = []
    while catch_up.poll() is None:
        busy_times.append(_save_ms())
    db.database.close()
    yield from _spread_rows("a save alone", idle_times)
    yield from _spread_rows("a save while a log is taken in", busy_times, 50.0, 300.0)


def _save_ms() -> float:
    time.sleep(SECONDS_BETWEEN_SAVES)
    started_at = time.perf_counter()
    audit.record_entry("bench", "bench.saved")
    return 1000 * (time.perf_counter() - started_at)


def _spread_rows(
    title: str,
    times: list[float],
    p95_limit: float | None = None,
    longest_limit: float | None = None,
) -> Iterator[Row]:
    """Rows of durations in milliseconds.

    `p95_limit` and `longest_limit`: the aims for the 95th percentile and the maximum.
    """
    ordered = sorted(times)
    yield Row(f"{title}, median", statistics.median(ordered), "ms")
    yield Row(f"{title}, 95 %", ordered[int(0.95 * len(ordered))], "ms", aim=p95_limit)
    yield Row(f"{title}, longest", ordered[-1], "ms", aim=longest_limit)


def _open_migrated(file: Path) -> None:
    db.open_database(file)
    schema.apply_migrations()
