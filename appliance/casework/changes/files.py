"""The files of change requests: kept as they came, given back as downloads, never opened here."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PureWindowsPath

from appliance.casework.changes.errors import ChangeError
from appliance.core import clock
from appliance.models import ChangeFile, ChangeRequest

LARGEST = 5 * 1024 * 1024  # bytes of one file
MOST = 3  # files that may come at once
_NAME = 200  # characters


@dataclass(frozen=True)
class Sent:
    """A file as it was sent."""

    name: str
    content: bytes


def checked(sent: Iterable[Sent]) -> list[Sent]:
    """The files under names that may be kept.

    Raises ChangeError: "files" when there are too many, "file" when one is too large or empty.
    """
    files = [Sent(_plain(one.name), one.content) for one in sent]
    if len(files) > MOST:
        raise ChangeError("files")
    if any(not 0 < len(one.content) <= LARGEST for one in files):
        raise ChangeError("file")
    return files


def attach(request: ChangeRequest, files: Iterable[Sent], by: str) -> None:
    """Keep checked files with a request; inside the transaction of their cause."""
    now = clock.now()
    for one in files:
        ChangeFile.create(
            request=request,
            name=one.name,
            size=len(one.content),
            content=one.content,
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


def _plain(name: str) -> str:
    """A file's own name, without folders and characters that nobody sees."""
    bare = "".join(c for c in PureWindowsPath(name).name if c.isprintable()).strip(". ")
    return bare[-_NAME:] or "file"
