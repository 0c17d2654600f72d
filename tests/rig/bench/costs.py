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
from collections.abc import Callable
from pathlib import Path
from typing import Any

from appliance.core import audit, db
from appliance.pbx import ledger
from tests.rig.bench import logs

CALLS = 2_000
SAVES = 200
APART = 0.02  # seconds between two saves
RESULTS = Path("bench/latest.json")
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
        found["a save, ms"] = saves(folder, log)
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
