"""Many connections that write and checkpoint at once, by which SQLite's WAL-reset fault is seen.

Six processes commit and rest for a moment, each commit of another size, with a checkpoint after
each ten pages; two more checkpoint without a pause. The fault needs a log that begins again while
one of the two has just read its state: without the rests somebody always reads, and it does not
begin again. SQLite 3.46.1 damages the file in 0.3 to 16 seconds of this on two processors.
"""

import contextlib
import multiprocessing
import random
import time
from dataclasses import dataclass
from multiprocessing.queues import Queue
from pathlib import Path

from appliance.core import sqlite

WRITERS, CHECKPOINTERS = 6, 2
CHECKPOINT_PAGES = 10
LONGEST_REST_SECONDS = 0.002
WIDE_ROWS, WIDEST_UPDATE = 4_400, 180
_SCHEMA = """
CREATE TABLE note (id INTEGER PRIMARY KEY, writer INTEGER, number INTEGER, text TEXT);
CREATE INDEX note_number ON note (writer, number);
CREATE TABLE wide (id INTEGER PRIMARY KEY, changes INTEGER, text TEXT);
"""

type Report = tuple[int, int, str]  # writer, -1 for a checkpointer; how many times; the error


@dataclass
class Outcome:
    """The result of a storm."""

    commits: int
    lost: int  # commits that were acknowledged and whose row is not there
    errors: list[str]  # of those who wrote, and what SQLite finds wrong in the file afterwards


def storm(file: Path, seconds: float) -> Outcome:
    """Write and checkpoint for some seconds, and check the result."""
    with contextlib.closing(_opened(file)) as connection:
        connection.executescript(_SCHEMA)
        rows = ((number, "y" * 1000) for number in range(WIDE_ROWS))
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO wide VALUES (?, 0, ?)", rows)
        connection.execute("COMMIT")
    context = multiprocessing.get_context("spawn")
    reports: Queue[Report] = context.Queue()
    until = time.monotonic() + seconds
    works = [(_write, n) for n in range(WRITERS)] + [(_checkpoint, -1)] * CHECKPOINTERS
    processes = [
        context.Process(target=work, args=(file, number, until, reports)) for work, number in works
    ]
    for process in processes:
        process.start()
    found = [reports.get(timeout=seconds + 60) for _ in processes]
    for process in processes:
        process.join()
    commits = sum(times for writer, times, _error in found if writer >= 0)
    errors = [error for _writer, _times, error in found if error]
    try:
        kept, faults = _look_at(file)
    except sqlite.DatabaseError as error:
        kept, faults = 0, [str(error)]
    return Outcome(commits, commits - kept, [*errors, *faults])


def _opened(file: Path) -> sqlite.Connection:
    connection = sqlite.connect(file, timeout=20, isolation_level=None)
    connection.execute("PRAGMA journal_mode = wal")
    connection.execute("PRAGMA synchronous = off")  # the disk only makes the storm slower
    connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
    return connection


def _write(file: Path, writer: int, until: float, reports: "Queue[Report]") -> None:
    chance = random.Random(writer)  # noqa: S311  no secret
    number, fault = 0, ""
    try:
        connection = _opened(file)
        while time.monotonic() < until:
            text = "x" * chance.randrange(50, 950)
            connection.execute("BEGIN IMMEDIATE")
            connection.execute(
                "INSERT INTO note (writer, number, text) VALUES (?, ?, ?)", (writer, number, text)
            )
            if chance.randrange(6) == 0:
                first = chance.randrange(WIDE_ROWS - WIDEST_UPDATE)
                last = first + WIDEST_UPDATE
                change = "UPDATE wide SET changes = changes + 1 WHERE id BETWEEN ? AND ?"
                connection.execute(change, (first, last))
            connection.execute("COMMIT")
            number += 1
            time.sleep(chance.random() * LONGEST_REST_SECONDS)
    except sqlite.Error as error:
        fault = str(error)
    reports.put((writer, number, fault))


def _checkpoint(file: Path, number: int, until: float, reports: "Queue[Report]") -> None:
    times, fault = 0, ""
    try:
        connection = _opened(file)
        while time.monotonic() < until:
            connection.execute("PRAGMA wal_checkpoint(passive)").fetchall()
            times += 1
    except sqlite.Error as error:
        fault = str(error)
    reports.put((number, times, fault))


def _look_at(file: Path) -> tuple[int, list[str]]:
    """How many commits the file has, and what SQLite finds wrong in it."""
    with contextlib.closing(sqlite.connect(file)) as connection:
        faults = [text for (text,) in connection.execute("PRAGMA integrity_check(5)")]
        [kept] = connection.execute("SELECT count(*) FROM note NOT INDEXED").fetchone()
    return kept, [text for text in faults if text != "ok"]
