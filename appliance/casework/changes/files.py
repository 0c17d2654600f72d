"""The files of change requests: stored unchanged, returned as downloads, never opened here."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath

from peewee import fn

from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.core.statements import find_row
from appliance.models import ChangeFile, ChangeRequest

MAX_FILE_BYTES = 5 * 1024 * 1024
MAX_FILES_PER_UPLOAD = 3
MAX_REQUEST_BYTES = 20 * 1024 * 1024  # of all files of one request
MAX_DAILY_BYTES = 30 * 1024 * 1024  # that one user may send within UPLOAD_WINDOW
UPLOAD_WINDOW = dt.timedelta(hours=24)
_MAX_NAME_LENGTH = 200


@dataclass(frozen=True)
class UploadedFile:
    """An uploaded file; `size` in bytes. `read` is called, once, for the content to store."""

    name: str
    size: int
    read: Callable[[], bytes]


def check_files(uploads: Iterable[UploadedFile]) -> list[UploadedFile]:
    """Check the number and sizes of files; returns them with names that are safe to store.

    Raises Refused with the code "files" if there are too many, "file" if one is too large or empty.
    """
    files = [replace(file, name=_safe_name(file.name)) for file in uploads]
    if len(files) > MAX_FILES_PER_UPLOAD:
        raise Refused("files")
    if any(not 0 < file.size <= MAX_FILE_BYTES for file in files):
        raise Refused("file")
    return files


def attach_files(request: ChangeRequest, files: Collection[UploadedFile], actor: str) -> None:
    """Store checked files with a request, inside the caller's transaction.

    Raises Refused, before a file is read, with the code "full" if the request would have more than
    MAX_REQUEST_BYTES, "day" if the user would have sent more than MAX_DAILY_BYTES within
    UPLOAD_WINDOW.
    """
    now, new_bytes = clock.now(), sum(file.size for file in files)
    if new_bytes and _total_bytes(ChangeFile.request == request) + new_bytes > MAX_REQUEST_BYTES:
        raise Refused("full")
    if (
        new_bytes
        and _total_bytes(ChangeFile.who == actor, ChangeFile.at > now - UPLOAD_WINDOW) + new_bytes
        > MAX_DAILY_BYTES
    ):
        raise Refused("day")
    for file in files:
        ChangeFile.create(
            request=request,
            name=file.name,
            size=file.size,
            content=file.read(),
            at=now,
            who=actor,
        )


def files_of_request(request: ChangeRequest) -> list[ChangeFile]:
    """Return the files of a request, oldest first, without their contents."""
    columns = (ChangeFile.id, ChangeFile.name, ChangeFile.size, ChangeFile.at, ChangeFile.who)
    of_this_request = ChangeFile.request == request
    return list(ChangeFile.select(*columns).where(of_this_request).order_by(ChangeFile.id))


def find_file(request: ChangeRequest, number: int) -> ChangeFile | None:
    """Return the request's file with the id `number`, if any, with its content."""
    return find_row(ChangeFile, id=number, request=request.id)


def _total_bytes(*conditions: object) -> int:
    """Return the total size of the matching files in bytes."""
    return ChangeFile.select(fn.SUM(ChangeFile.size)).where(*conditions).scalar() or 0


def _safe_name(name: str) -> str:
    """Return a file's name without folders and invisible characters; "file" if nothing is left."""
    visible = "".join(char for char in PureWindowsPath(name).name if char.isprintable()).strip(". ")
    return visible[-_MAX_NAME_LENGTH:] or "file"
