"""How much may be sent, bounded before anything reads or keeps it."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from flask import Blueprint, Flask, Request, abort, current_app, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from appliance.web.shell.access import View, public

screen = Blueprint("sizes", __name__)

# characters of one field; several times what the longest true ones hold
LINE, TEXT = 2_000, 20_000
FIELDS, NAME = 5_000, 200  # in one form, and characters of a field's name
_IN_MEMORY = 64 * 1024  # bytes of a file; a larger one goes to the disk
LONGER = {
    "gist": TEXT,
    "operator_answer": TEXT,
    "text": TEXT,
    "what": TEXT,
    "why": TEXT,
    "text_uz": TEXT,
    "text_ru": TEXT,
    "blocked": 100_000,
    "people": 100_000,
}


class TooLong(RequestEntityTooLarge):
    """A field holds more than may be kept. `fields`: name → characters that it may hold."""

    def __init__(self, fields: dict[str, int]) -> None:
        super().__init__()
        self.fields = fields


class BoundedFile(tempfile.SpooledTemporaryFile[bytes]):
    """A file that is sent: of one that is larger than `most` nothing is stored but its `size`."""

    def __init__(self, most: int) -> None:
        super().__init__(_IN_MEMORY)
        self._most, self.size = most, 0

    def write(self, data: Any) -> int:
        """Take a piece of it; returns how many bytes it has."""
        self.size += len(data)
        if self.size <= self._most:
            super().write(data)
        return len(data)


class BoundedRequest(Request):
    """A request of whose files no more is stored than the view may have."""

    largest_file = 0  # bytes; 0: as many as the whole request

    def close(self) -> None:
        """Close its files, also those of a form that was not read to its end."""
        super().close()
        for file in self.__dict__.pop("bounded_files", ()):
            file.close()

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if not self.largest_file:
            return super()._get_file_stream(
                total_content_length, content_type, filename, content_length
            )
        file = BoundedFile(self.largest_file)
        self.__dict__.setdefault("bounded_files", []).append(file)
        return file


def size_of(file: FileStorage) -> int:
    """How many bytes a file was sent with; more than the view may have when it was too large."""
    if isinstance(file.stream, BoundedFile):
        return file.stream.size
    end = file.seek(0, os.SEEK_END)
    file.seek(0)
    return end


def takes_file[V: View](largest: int, largest_file: int = 0) -> Callable[[V], V]:
    """Declare a view that takes a file: `largest` bytes may be sent. Used together with `@may`.

    `largest_file`: bytes that one of several may have; of a larger one nothing is stored.
    """

    def declare(view: V) -> V:
        view.__dict__["largest"], view.__dict__["largest_file"] = largest, largest_file
        return view

    return declare


@screen.get("/too-large")
@public
def too_large() -> str:
    """What nginx shows, in the reader's language, of what it did not let in."""
    abort(413)


def init_app(app: Flask) -> None:
    """Bound what every request brings."""

    @app.before_request
    def bound() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if view and "largest" in view.__dict__:
            request.max_content_length = view.__dict__["largest"]
            request.largest_file = view.__dict__["largest_file"]  # type: ignore[attr-defined]
        if request.method != "POST":
            return
        if not request.is_json and (
            len(request.form) > FIELDS or any(len(name) > NAME for name in request.form)
        ):
            abort(413)
        longest = {n: most for n, text in _sent() if len(text) > (most := LONGER.get(n, LINE))}
        if longest:
            raise TooLong(longest)


def _sent() -> Iterator[tuple[str, str]]:
    """Every text of a form or of JSON, under the name of its field."""
    if not request.is_json:
        yield from request.form.items(multi=True)
        return
    try:
        left = [("", request.get_json(silent=True))]
    except RecursionError:
        abort(400)
    while left:
        name, value = left.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            left += [part for key, below in value.items() for part in ((name, key), (key, below))]
        elif isinstance(value, list):
            left += [(name, below) for below in value]
