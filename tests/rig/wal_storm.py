"""Many connections that write and checkpoint at once, which exposes SQLite's WAL-reset fault.

Six processes commit and rest briefly, each commit of another size, with a checkpoint after every
ten pages; two more checkpoint without a pause. The fault needs a log that restarts while one of the
two has just read its state: without the rests a reader is always active, and the log does not
restart. SQLite 3.46.1 damages the file in 0.3 to 16 seconds of this on two processors.
"""

import contextlib
import multiprocessing
import random
import time
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path

from appliance.core import sqlite

WRITER_COUNT, CHECKPOINTER_COUNT = 6, 2
CHECKPOINT_PAGES = 10
LONGEST_REST_SECONDS = 0.002
WIDE_ROW_COUNT, ROWS_PER_UPDATE = 4_400, 180
_SCHEMA = """
CREATE TABLE note (id INTEGER PRIMARY KEY, writer INTEGER, number INTEGER, text TEXT);
CREATE INDEX note_number ON note (writer, number);
CREATE TABLE wide (id INTEGER PRIMARY KEY, changes INTEGER, text TEXT);
"""

type Report = tuple[int, int, str]  # writer, -1 for a checkpointer; number of times; the error


@dataclass
class StormOutcome:
    """The result of a storm."""

    commits: int
    lost_rows: int  # acknowledged commits whose row is missing
    errors: list[str]  # errors of the writers, and faults that SQLite finds in the file afterwards


def run_wal_storm(file: Path, seconds: float) -> StormOutcome:
    """Write and checkpoint for `seconds` seconds, and check the result."""
    with contextlib.closing(_open_connection(file)) as connection:
        connection.executescript(_SCHEMA)
        rows = ((number, "y" * 1000) for number in range(WIDE_ROW_COUNT))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO wide VALUES (?, 0, ?)", rows)
        connection.execute("COMMIT")
    context = multiprocessing.get_context("spawn")
    reports: Queue[Report] = context.Queue()
    until = time.monotonic() + seconds
    tasks = [(_write_rows, n) for n in range(WRITER_COUNT)] + [
        (_run_checkpoints, -1)
    ] * CHECKPOINTER_COUNT
    processes = [
        context.Process(target=task, args=(file, number, until, reports)) for task, number in tasks
    ]
    for process in processes:
        process.start()
    results = [reports.get(timeout=seconds + 60) for _ in processes]
    for process in processes:
        process.join()
    commits = sum(times for writer, times, _error in results if writer >= 0)
    errors = [error for _writer, _times, error in results if error]
    try:
        row_count, faults = _check_file(file)
    except sqlite.DatabaseError as error:
        row_count, faults = 0, [str(error)]
    return StormOutcome(commits, commits - row_count, [*errors, *faults])


def _open_connection(file: Path) -> sqlite.Connection:
    connection = sqlite.connect(file, timeout=20, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = off")  # the disk only makes the storm slower
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return connection


def _write_rows(file: Path, writer: int, until: float, reports: "Queue[Report]") -> None:
    chance = random.Random(writer)  # noqa: S311  no secret
    number, fault = 0, ""
    try:
        connection = _open_connection(file)
        while time.monotonic() < until:
            text = "x" * chance.randrange(50, 950)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO note (writer, number, text) VALUES (?, ?, ?)", (writer, number, text)
            )
            if chance.randrange(6) == 0:
                first = chance.randrange(WIDE_ROW_COUNT - ROWS_PER_UPDATE)
                last = first + ROWS_PER_UPDATE
                change = "UPDATE wide SET changes = changes + 1 WHERE id BETWEEN ? AND ?"
                connection.execute(change, (first, last))
            connection.execute("COMMIT")
            number += 1
            time.sleep(chance.random() * LONGEST_REST_SECONDS)
    except sqlite.Error as error:
        fault = str(error)
    reports.put((writer, number, fault))


def _run_checkpoints(file: Path, number: int, until: float, reports: "Queue[Report]") -> None:
    times, fault = 0, ""
    try:
        connection = _open_connection(file)
        while time.monotonic() < until:
            connection.execute("PRAGMA wal_checkpoint(passive)").fetchall()
            times += 1
    except sqlite.Error as error:
        fault = str(error)
    reports.put((number, times, fault))


def _check_file(file: Path) -> tuple[int, list[str]]:
    """The number of commits in the file, and the faults that SQLite finds in it."""
    with contextlib.closing(sqlite.connect(file)) as connection:
        faults = [text for (text,) in connection.execute("PRAGMA integrity_check(5)")]
        [row_count] = connection.execute("SELECT count(*) FROM note NOT INDEXED").fetchone()
    return row_count, [text for text in faults if text != "ok"]
