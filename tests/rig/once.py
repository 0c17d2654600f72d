"""What many tests begin with and one of them makes."""

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
    own = factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


def made_once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> Path:
    """A folder of that name: whoever asks first has it made, the others wait for it.

    It is to be copied, never changed.
    """
    folder = shared_folder(factory) / name
    done = folder.with_name(f"{name}.done")
    with folder.with_name(f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(folder, ignore_errors=True)  # of one who failed
            folder.mkdir()
            make(folder)
            done.touch()
    return folder


def filled_once(kept: Path, fill: Callable[[], object]) -> None:
    """Fill the open database: for the first test by `fill`, for all others by a copy of that."""
    if kept.exists():
        with contextlib.closing(sqlite.connect(kept)) as source:
            source.backup(db.database.connection())
    else:
        fill()
        db.copy_to(kept)
