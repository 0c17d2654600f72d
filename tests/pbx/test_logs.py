"""Waiting for changes in a folder of logs."""

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core.path_watch import PathWatch
from appliance.pbx import log_files

LONG_SECONDS, SHORT_SECONDS = 20.0, 0.02  # a limit, and the wait for a change that never happens


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    log_folder = tmp_path / "log"
    log_folder.mkdir()
    return log_folder


@pytest.fixture
def watch(folder: Path) -> Iterator[PathWatch]:
    with contextlib.closing(log_files.watch_folder(folder)) as folder_watch:
        yield folder_watch


def test_a_written_renamed_or_removed_file_ends_the_wait(folder: Path, watch: PathWatch) -> None:
    log, other = folder / "events.csv", folder / "events.csv.1"

    def append_line() -> None:
        with log.open("ab") as stream:
            stream.write(b"two\n")

    assert not watch.wait_for_event(SHORT_SECONDS)
    for change in (
        lambda: log.write_bytes(b"one\n"),
        append_line,
        lambda: log.rename(other),
        other.unlink,
    ):
        change()
        assert watch.wait_for_event(LONG_SECONDS)
        assert not watch.wait_for_event(SHORT_SECONDS)
    log.touch()
    assert watch.wait_for_event(LONG_SECONDS)
    log.read_bytes()
    assert not watch.wait_for_event(SHORT_SECONDS)


def test_a_waiting_reader_is_woken(folder: Path, watch: PathWatch) -> None:
    results: list[bool] = []
    waiting = threading.Thread(target=lambda: results.append(watch.wait_for_event(LONG_SECONDS)))
    waiting.start()
    (folder / "events.csv").write_bytes(b"one\n")
    waiting.join(LONG_SECONDS)
    assert results == [True]


def test_a_folder_created_later_or_again_is_watched(folder: Path) -> None:
    folder.rmdir()
    with contextlib.closing(log_files.watch_folder(folder)) as watch:
        # the state is unknown: the caller must look into the folder
        assert watch.wait_for_event(LONG_SECONDS)
        folder.mkdir()
        assert watch.wait_for_event(LONG_SECONDS)
        assert not watch.wait_for_event(SHORT_SECONDS)
        folder.rmdir()
        assert watch.wait_for_event(LONG_SECONDS)
        assert watch.wait_for_event(LONG_SECONDS)  # the folder is known to be missing
        folder.mkdir()
        assert watch.wait_for_event(LONG_SECONDS)
        (folder / "events.csv").write_bytes(b"one\n")
        assert watch.wait_for_event(LONG_SECONDS)
        assert not watch.wait_for_event(SHORT_SECONDS)
