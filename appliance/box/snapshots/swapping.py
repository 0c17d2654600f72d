"""Moves restored files into place of the site's files: all of them, or not a single one.

The moves are recorded before the first one. If something stops in the middle, such as a power cut,
`undo_unfinished_restore` reverses the completed ones.
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


def move_files(settings: Settings, moves: Sequence[Move]) -> None:
    """Rename each first path to the second, which must be free; on failure undo all renames."""
    if existing_target := next(
        (target for _, target in moves if target.exists() and not _is_moved_away(moves, target)),
        None,
    ):
        raise SnapshotError("there", f"{existing_target} is there already")
    journal = settings.paths.restore_journal_file
    new_journal = journal.with_suffix(".new")
    with new_journal.open("w") as file:
        json.dump([[str(source), str(target)] for source, target in moves], file)
        file.flush()
        os.fsync(file.fileno())
    new_journal.replace(journal)
    _sync_folder(journal.parent)
    try:
        for source, target in moves:
            target.parent.mkdir(parents=True, exist_ok=True)
            source.rename(target)
    except OSError as error:
        _undo_moves(journal)
        raise SnapshotError("failed", f"nothing was changed: {error}") from error
    for folder in {target.parent for _, target in moves}:
        _sync_folder(folder)
    journal.unlink()


def undo_unfinished_restore(settings: Settings) -> bool:
    """Undo the moves of a restore that was interrupted. Returns True if there was one."""
    journal = settings.paths.restore_journal_file
    if not journal.exists():
        return False
    with contextlib.suppress(SnapshotError), contents.snapshot_lock(settings):
        if journal.exists():
            _undo_moves(journal)
            return True
    return False


def _undo_moves(journal: Path) -> None:
    """Reverse the moves in a journal, and delete the journal."""
    for source, target in reversed(json.loads(journal.read_text())):
        if Path(target).exists() and not Path(source).exists():
            Path(target).rename(source)
    journal.unlink()


def _is_moved_away(moves: Sequence[Move], path: Path) -> bool:
    """Whether one of the moves frees a path."""
    return any(source == path for source, _ in moves)


def _sync_folder(folder: Path) -> None:
    """Sync a folder to the disk."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
