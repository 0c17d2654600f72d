"""Moving restored files into the place of the running site's: all of them or none.

The moves are written down before the first one. When something stops in the middle, a power cut
too, `mend` takes back those that were made.
"""

import contextlib
import json
import os
from collections.abc import Sequence
from pathlib import Path

from appliance.box.snapshots import contents
from appliance.box.snapshots.errors import SnapshotError
from appliance.core.settings import Settings

type Move = tuple[Path, Path]


def swap(settings: Settings, moves: Sequence[Move]) -> None:
    """Rename each first path to the second, which nobody has, or take all of it back."""
    if there := next((to for _, to in moves if to.exists() and not _moves_away(moves, to)), None):
        raise SnapshotError("there", f"{there} is there already")
    journal = settings.paths.unfinished_restore
    fresh = journal.with_suffix(".new")
    with fresh.open("w") as file:
        json.dump([[str(one), str(to)] for one, to in moves], file)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(journal)
    _sync(journal.parent)
    try:
        for one, to in moves:
            to.parent.mkdir(parents=True, exist_ok=True)
            one.rename(to)
    except OSError as error:
        _undo(journal)
        raise SnapshotError("failed", f"nothing was changed: {error}") from error
    for folder in {to.parent for _, to in moves}:
        _sync(folder)
    journal.unlink()


def mend(settings: Settings) -> bool:
    """Take back what a restore that was stopped in the middle had moved; whether there was one."""
    journal = settings.paths.unfinished_restore
    if not journal.exists():
        return False
    with contextlib.suppress(SnapshotError), contents.alone(settings):
        if journal.exists():
            _undo(journal)
            return True
    return False


def _undo(journal: Path) -> None:
    for one, to in reversed(json.loads(journal.read_text())):
        if Path(to).exists() and not Path(one).exists():
            Path(to).rename(one)
    journal.unlink()


def _moves_away(moves: Sequence[Move], path: Path) -> bool:
    return any(one == path for one, _ in moves)


def _sync(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
