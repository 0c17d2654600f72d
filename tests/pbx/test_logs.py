"""Waiting for what is written into a folder of logs."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core.watching import Watch
from appliance.pbx import logs

LONG, SHORT = 20.0, 0.02  # seconds: a limit, and for what is known not to come


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "log"
    made.mkdir()
    return made


@pytest.fixture
def watch(folder: Path) -> Iterator[Watch]:
    with contextlib.closing(logs.watch(folder)) as made:
        yield made


def test_what_is_written_renamed_or_removed_ends_the_waiting(folder: Path, watch: Watch) -> None:
    log, other = folder / "events.csv", folder / "events.csv.1"

    def add() -> None:
        with log.open("ab") as stream:
            stream.write(b"two\n")

    assert not watch.wait(SHORT)
    for change in (
        lambda: log.write_bytes(b"one\n"),
        add,
        lambda: log.rename(other),
        other.unlink,
    ):
        change()
        assert watch.wait(LONG)
        assert not watch.wait(SHORT)
    log.touch()
    assert watch.wait(LONG)
    log.read_bytes()
    assert not watch.wait(SHORT)


def test_who_waits_already_is_woken(folder: Path, watch: Watch) -> None:
    told: list[bool] = []
    waiting = threading.Thread(target=lambda: told.append(watch.wait(LONG)))
    waiting.start()
    (folder / "events.csv").write_bytes(b"one\n")
    waiting.join(LONG)
    assert told == [True]


def test_a_folder_that_comes_later_or_anew_is_watched(folder: Path) -> None:
    folder.rmdir()
    with contextlib.closing(logs.watch(folder)) as watch:
        assert watch.wait(LONG)  # nothing is known: whoever waits is to look himself
        folder.mkdir()
        assert watch.wait(LONG)
        assert not watch.wait(SHORT)
        folder.rmdir()
        assert watch.wait(LONG)
        assert watch.wait(LONG)  # it is known to be gone
        folder.mkdir()
        assert watch.wait(LONG)
        (folder / "events.csv").write_bytes(b"one\n")
        assert watch.wait(LONG)
        assert not watch.wait(SHORT)
