"""What the appliance costs without calls: a log taken in, saves, reports, lists, commands.

Seconds are those of a processor, so that a busy machine tells the same; how long a save waits is
told by the clock, with and without a catch-up at the same time.
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

from appliance.core import audit, db, sqlite
from appliance.pbx import ledger
from tests.rig import logs
from tests.rig.bench import figures, growth, history, pages
from tests.rig.bench.table import Row
from tests.rig.bench.timing import spent
from tests.rig.rules import RULES

CALLS = 2_000
HISTORY, A_DAY = 15_000, 500  # calls that reports are made of
SAVES = 200
APART = 0.02  # seconds between two saves
_CATCH_UP = """
import sys
from pathlib import Path
from appliance.core import db
from appliance.pbx import ledger
from tests.rig.rules import RULES
db.open_database(Path(sys.argv[1]))
ledger.read(Path(sys.argv[2]), RULES, growing=False)
"""


def rows(folder: Path, calls: int) -> Iterator[Row]:
    """Every figure of this bench, `calls` of them taken in; builds what it measures in a folder."""
    yield from commands()
    yield from ingest(folder, logs_of(folder, calls), calls)
    log = logs_of(folder, CALLS)
    yield from steps(folder, log)
    yield from saves(folder, log)
    yield from reports(folder / "site")


def logs_of(folder: Path, calls: int) -> Path:
    """A log of so many calls."""
    log = folder / f"events-{calls}.csv"
    if not log.exists():
        logs.write(log, calls)
    return log


def ingest(folder: Path, log: Path, calls: int) -> Iterator[Row]:
    """A log into the ledger, against csv and executemany into a table without an index."""
    _open(folder / "ingest.db")
    gc.freeze()  # as the commands do
    ours = spent(lambda: ledger.read(log, RULES, growing=False))
    db.database.close()
    floor = spent(lambda: _plainly(folder / "floor.db", log))
    what, rate = f"a log of {calls:,} calls taken in, a second", calls / ours
    yield Row(what, rate, "", calls / floor, 12.0, least=True, before="113, 101×")
    yield Row("  calls a second", rate, "", aim=1000.0, least=True)


def _plainly(file: Path, log: Path) -> None:
    connection = sqlite.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute(f"CREATE TABLE record ({', '.join(f'c{n}' for n in range(18))})")
    connection.execute("BEGIN")
    with log.open(newline="") as stream:
        put = f"INSERT INTO record VALUES ({', '.join('?' * 18)})"  # noqa: S608
        connection.executemany(put, csv.reader(stream))
    connection.execute("COMMIT")
    connection.close()


def steps(folder: Path, log: Path) -> Iterator[Row]:
    """What whoever waits for the lock waits for while a log is taken in, beside the disk."""
    _open(folder / "steps.db")
    took: list[float] = []
    take = ledger._take_calls

    def timed(*arguments: Any) -> None:
        took.append(1000 * spent(lambda: take(*arguments)))

    with unittest.mock.patch.object(ledger, "_take_calls", timed):
        ledger.read(log, RULES, growing=False)
    db.database.close()
    yield from _spread("a step of it under the write lock", took)


def reports(folder: Path) -> Iterator[Row]:
    """Each report of a month of HISTORY calls, and pages that show lists."""
    folder.mkdir()
    settings = growth.make_site(folder)
    history.fill(settings, HISTORY, A_DAY, growth.LAST)
    yield from figures.rows(settings, growth.MONTH)
    yield from pages.rows(settings, growth.LAST)
    db.database.close()


def commands() -> Iterator[Row]:
    """`appliance --help`, against a program that only imports click."""
    ours = _of_child("from appliance.cli import main; main()", "--help")
    floor = _of_child("import click", "")
    yield Row("appliance --help", ours, "s", aim=0.25, before="1.2 s")
    yield Row("import click", floor, "s")


def _of_child(code: str, *arguments: str) -> float:
    watch = "import time; " + code.replace("main()", "sys.exit = print; main()")
    told = "import sys, atexit, time; atexit.register(lambda: print(time.process_time()))\n"
    command = [sys.executable, "-c", told + watch, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(answer.stdout.split()[-1])


def saves(folder: Path, log: Path) -> Iterator[Row]:
    """How long a save takes by the clock, alone and while another process takes the log in."""
    file = folder / "saves.db"
    _open(file)
    alone = [_saved() for _ in range(SAVES)]
    beside = subprocess.Popen([sys.executable, "-c", _CATCH_UP, file, log])
    meanwhile = []
    while beside.poll() is None:
        meanwhile.append(_saved())
    db.database.close()
    yield from _spread("a save alone", alone)
    yield from _spread("a save while a log is taken in", meanwhile, 50.0, 300.0)


def _saved() -> float:
    time.sleep(APART)
    began = time.perf_counter()
    audit.record("bench", "bench.saved")
    return 1000 * (time.perf_counter() - began)


def _spread(
    what: str, times: list[float], most: float | None = None, longest: float | None = None
) -> Iterator[Row]:
    """Milliseconds; `most` and `longest`: what 95 of a hundred and all may take."""
    ordered = sorted(times)
    yield Row(f"{what}, median", statistics.median(ordered), "ms")
    yield Row(f"{what}, 95 %", ordered[int(0.95 * len(ordered))], "ms", aim=most)
    yield Row(f"{what}, longest", ordered[-1], "ms", aim=longest)


def _open(file: Path) -> None:
    db.open_database(file)
    db.migrate()
