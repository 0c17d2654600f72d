"""`./run bench quick`: what the appliance costs, each beside its floor in the same run.

Seconds are those of a processor, so that a busy machine tells the same; how long a save waits is
told by the clock, with and without a catch-up at the same time.
"""

import csv
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
import unittest.mock
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from appliance import demo
from appliance.core import audit, db
from appliance.demo.world import of_site
from appliance.models import Call
from appliance.pbx import ledger
from appliance.reports import files
from tests.rig.bench import growth, logs

CALLS = 2_000
HISTORY = 10_000  # calls that reports are made of: a few cost no more than the reports' own steps
SAVES = 200
APART = 0.02  # seconds between two saves
RESULTS = Path("bench/latest.json")
TRIES = 3
_SCAN = """
SELECT (arrived_at + 18000000000) / 3600000000 % 24, outcome, count(*), sum(talk_seconds),
sum(wait_seconds), sum(rating) FROM call
WHERE arrived_at >= ? AND arrived_at < ? AND direction = 'inbound' AND NOT synthetic GROUP BY 1, 2
"""
_CATCH_UP = """
import sys
from pathlib import Path
from appliance.core import db
from appliance.pbx import ledger
db.open_database(Path(sys.argv[1]))
ledger.read(Path(sys.argv[2]), 5.0, growing=False)
"""

type Row = dict[str, float]


def main(calls: int = CALLS) -> None:
    """Measure, print the table, keep the results."""
    found: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        log = folder / "events.csv"
        records = logs.write(log, calls)
        found["commands listed, s"] = commands()
        found[f"{calls} calls, {records} records taken in, s"] = ingest(folder, log)
        found["a step of it under the write lock, ms"] = steps(folder, log)
        found["a save, ms"] = saves(folder, log)
        found |= reports(folder / "site")
    for what, row in found.items():
        print(what, *(f"{name} {value:.3f}" for name, value in row.items()), sep="   ")
    known = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(known | {"costs": found}, indent=1))


def ingest(folder: Path, log: Path) -> Row:
    """A log into the ledger, against csv and executemany into a table without an index."""
    _open(folder / "ingest.db")
    ours = spent(lambda: ledger.read(log, 5.0, growing=False))
    db.database.close()
    floor = spent(lambda: _plainly(folder / "floor.db", log))
    return {"ours": ours, "floor": floor, "times": ours / floor}


def _plainly(file: Path, log: Path) -> None:
    connection = sqlite3.connect(file, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute(f"CREATE TABLE record ({', '.join(f'c{n}' for n in range(18))})")
    connection.execute("BEGIN")
    with log.open(newline="") as stream:
        put = f"INSERT INTO record VALUES ({', '.join('?' * 18)})"  # noqa: S608
        connection.executemany(put, csv.reader(stream))
    connection.execute("COMMIT")
    connection.close()


def steps(folder: Path, log: Path) -> Row:
    """What whoever waits for the lock waits for while a log is taken in, beside the disk."""
    _open(folder / "steps.db")
    took: list[float] = []
    take = ledger._take_calls

    def timed(*arguments: Any) -> None:
        took.append(1000 * spent(lambda: take(*arguments)))

    with unittest.mock.patch.object(ledger, "_take_calls", timed):
        ledger.read(log, 5.0, growing=False)
    db.database.close()
    return _spread(took)


def reports(folder: Path) -> dict[str, Row]:
    """Each report of a month of HISTORY calls, against one statement over its calls."""
    folder.mkdir()
    settings = growth.make_site(folder)
    demo.load(of_site(settings, growth.MONTH.first, growth.LAST), HISTORY, 1)
    period = [Call.arrived_at.db_value(edge) for edge in (growth.MONTH.begin, growth.MONTH.end)]
    connection = db.database.connection()
    floor = min(spent(lambda: connection.execute(_SCAN, period).fetchall()) for _ in range(TRIES))
    found: dict[str, Row] = {}
    for name in ("monthly", "quarterly", "minutes", "telephony"):
        build = partial(files.build, name, settings, growth.MONTH, "ru")
        ours = min(spent(build) for _ in range(TRIES))
        found[f"{name} report, s"] = {"ours": ours, "floor": floor, "times": ours / floor}
    db.database.close()
    return found


def commands() -> Row:
    """`appliance --help`, against a program that only imports click."""
    ours = _of_child("from appliance.cli import main; main()", "--help")
    floor = _of_child("import click", "")
    return {"ours": ours, "floor": floor, "times": ours / floor}


def _of_child(code: str, *arguments: str) -> float:
    watch = "import time; " + code.replace("main()", "sys.exit = print; main()")
    told = "import sys, atexit, time; atexit.register(lambda: print(time.process_time()))\n"
    command = [sys.executable, "-c", told + watch, *arguments]
    answer = subprocess.run(command, capture_output=True, text=True, check=False)
    return float(answer.stdout.split()[-1])


def saves(folder: Path, log: Path) -> Row:
    """How long a save takes, alone and while another process takes the log in."""
    file = folder / "saves.db"
    _open(file)
    alone = [_saved() for _ in range(SAVES)]
    beside = subprocess.Popen([sys.executable, "-c", _CATCH_UP, file, log])
    meanwhile = []
    while beside.poll() is None:
        meanwhile.append(_saved())
    db.database.close()
    return {
        **{f"alone, {name}": value for name, value in _spread(alone).items()},
        **{f"meanwhile, {name}": value for name, value in _spread(meanwhile).items()},
    }


def _saved() -> float:
    time.sleep(APART)
    began = time.perf_counter()
    audit.record("bench", "bench.saved")
    return 1000 * (time.perf_counter() - began)


def _spread(times: list[float]) -> Row:
    ordered = sorted(times)
    return {
        "median": statistics.median(ordered),
        "95 %": ordered[int(0.95 * len(ordered))],
        "longest": ordered[-1],
    }


def _open(file: Path) -> None:
    db.open_database(file)
    db.migrate()


def spent(run: Callable[[], Any]) -> float:
    """Seconds of a processor that this process spends on it."""
    begin = time.process_time()
    run()
    return time.process_time() - begin


if __name__ == "__main__":
    main(*(int(size) for size in sys.argv[1:]))
