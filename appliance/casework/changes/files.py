"""The files of change requests: kept as they came, given back as downloads, never opened here."""

import datetime as dt
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, replace
from pathlib import PureWindowsPath

from peewee import fn

from appliance.casework.changes.errors import ChangeError
from appliance.core import clock
from appliance.models import ChangeFile, ChangeRequest

LARGEST = 5 * 1024 * 1024  # bytes of one file
MOST = 3  # files that may come at once
REQUEST_BYTES = 20 * 1024 * 1024  # bytes of all files of one request
DAY_BYTES = 30 * 1024 * 1024  # bytes that one person may send within DAY
DAY = dt.timedelta(hours=24)
_NAME = 200  # characters


@dataclass(frozen=True)
class Sent:
    """A file as it was sent; `size` in bytes. `read` gives its content, once it may be stored."""

    name: str
    size: int
    read: Callable[[], bytes]


def checked(sent: Iterable[Sent]) -> list[Sent]:
    """The files under names that may be kept.

    Raises ChangeError: "files" when there are too many, "file" when one is too large or empty.
    """
    files = [replace(one, name=_plain(one.name)) for one in sent]
    if len(files) > MOST:
        raise ChangeError("files")
    if any(not 0 < one.size <= LARGEST for one in files):
        raise ChangeError("file")
    return files


def attach(request: ChangeRequest, files: Collection[Sent], by: str) -> None:
    """Store checked files with a request; inside the transaction of their cause.

    Raises ChangeError before one is read: "full" when the request would hold too
    much (REQUEST_BYTES), "day" when this person would have sent too much (DAY_BYTES within DAY).
    """
    now, more = clock.now(), sum(one.size for one in files)
    if more and _bytes(ChangeFile.request == request) + more > REQUEST_BYTES:
        raise ChangeError("full")
    if more and _bytes(ChangeFile.who == by, ChangeFile.at > now - DAY) + more > DAY_BYTES:
        raise ChangeError("day")
    for one in files:
        ChangeFile.create(
            request=request,
            name=one.name,
            size=one.size,
            content=one.read(),
            at=now,
            who=by,
        )


def of_request(request: ChangeRequest) -> list[ChangeFile]:
    """The files of a request, oldest first, without what is in them."""
    columns = (ChangeFile.id, ChangeFile.name, ChangeFile.size, ChangeFile.at, ChangeFile.who)
    theirs = ChangeFile.request == request
    return list(ChangeFile.select(*columns).where(theirs).order_by(ChangeFile.id))


def found(request: ChangeRequest, number: int) -> ChangeFile | None:
    """A file of this request with what is in it; None when it has none of that id."""
    return ChangeFile.get_or_none(ChangeFile.id == number, ChangeFile.request == request)


def _bytes(*which: object) -> int:
    """How many bytes some files hold together."""
    return ChangeFile.select(fn.SUM(ChangeFile.size)).where(*which).scalar() or 0


def _plain(name: str) -> str:
    """A file's own name, without folders and characters that nobody sees."""
    bare = "".join(c for c in PureWindowsPath(name).name if c.isprintable()).strip(". ")
    return bare[-_NAME:] or "file"
