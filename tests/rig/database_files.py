"""Finds product code that opens a database file in use past SQLite.

A process loses all its locks on a file when it closes any descriptor of it (POSIX). Code that opens
the database or its `-shm` file itself, only to read it, lets another process write at the same
time: the database is damaged.
"""

import os
import sys
from pathlib import Path

from appliance import PACKAGE
from appliance.core import db

opened_files: list[str] = []  # "file by module:line" of each such open


def watch_opens() -> None:
    """Fill `opened_files` from now on; Python has no way to remove an audit hook."""
    sys.addaudithook(_record_open)


def _record_open(event: str, arguments: tuple[object, ...]) -> None:
    if event != "open" or not isinstance(arguments[0], str | os.PathLike):
        return
    path, flags = os.fspath(arguments[0]), arguments[2]
    if not isinstance(path, str) or path not in (
        db.database.database,
        f"{db.database.database}-shm",
    ):
        return
    if isinstance(flags, int) and flags & os.O_EXCL or db.database.is_closed():
        return  # creates the file, or nobody has it open
    frame = sys._getframe(1)
    while frame.f_back and "/lib/python3" in frame.f_code.co_filename:
        frame = frame.f_back
    if Path(frame.f_code.co_filename).is_relative_to(PACKAGE):
        opened_files.append(f"{path} by {frame.f_code.co_filename}:{frame.f_lineno}")
