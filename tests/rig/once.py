"""Initial states that many tests share and only one of them builds."""

import contextlib
import fcntl
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.core import db, sqlite


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """The folder of this run of the tests, the same for all workers."""
    worker_folder = factory.getbasetemp()
    return worker_folder.parent if "PYTEST_XDIST_WORKER" in os.environ else worker_folder


def build_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of that name: the first test to need it builds it, the others wait for it.

    Tests copy it and never change it.
    """
    folder = shared_folder(factory) / name
    done_file = folder.with_name(f"{name}.done")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done_file.exists():
            shutil.rmtree(folder, ignore_errors=True)  # left by one that failed
            folder.mkdir()
            make(folder)
            done_file.touch()
    return folder


def fill_once(filled_file: Path, fill: Callable[[], object]) -> None:
    """Fill the open database: by `fill` for the first test, by a copy for all others."""
    if filled_file.exists():
        with contextlib.closing(sqlite.connect(filled_file)) as source:
            source.backup(db.database.connection())
    else:
        fill()
        db.copy_database(filled_file)
