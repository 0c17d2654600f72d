"""Limits on the size of requests, enforced before anything reads or stores them."""

import os
import tempfile
from collections.abc import Callable, Iterator
from typing import IO, Any

from flask import Blueprint, Flask, Request, abort, current_app, request
from werkzeug.datastructures import FileStorage
from werkzeug.exceptions import RequestEntityTooLarge

from appliance.web.shell.access import View, public

screen = Blueprint("sizes", __name__)

# characters of one field; several times the longest real values
MAX_LINE_CHARACTERS, MAX_TEXT_CHARACTERS = 2_000, 20_000
MAX_FORM_FIELDS, MAX_FIELD_NAME_CHARACTERS = 5_000, 200  # in one form, in a field's name
_MAX_BYTES_IN_MEMORY = 64 * 1024  # of an uploaded file; a larger one is stored on disk
MAX_CHARACTERS_BY_FIELD = {
    "gist": MAX_TEXT_CHARACTERS,
    "operator_answer": MAX_TEXT_CHARACTERS,
    "text": MAX_TEXT_CHARACTERS,
    "what": MAX_TEXT_CHARACTERS,
    "why": MAX_TEXT_CHARACTERS,
    "text_uz": MAX_TEXT_CHARACTERS,
    "text_ru": MAX_TEXT_CHARACTERS,
    "blocked": 100_000,
    "people": 100_000,
}


class FieldTooLong(RequestEntityTooLarge):
    """Some fields have more text than allowed. `fields`: their allowed lengths, by name."""

    def __init__(self, fields: dict[str, int]) -> None:
        super().__init__()
        self.fields = fields


class BoundedFile(tempfile.SpooledTemporaryFile[bytes]):
    """An uploaded file; if it is larger than `max_bytes`, only its `size` is stored."""

    def __init__(self, max_bytes: int) -> None:
        super().__init__(_MAX_BYTES_IN_MEMORY)
        self._max_bytes, self.size = max_bytes, 0

    def write(self, data: Any) -> int:
        """Write a chunk of the file; returns its number of bytes."""
        self.size += len(data)
        if self.size <= self._max_bytes:
            super().write(data)
        return len(data)


class BoundedRequest(Request):
    """A request that does not store uploaded files larger than the view allows.

    `max_file_bytes` is set by the check in `init_app`.
    """

    max_file_bytes = 0  # bytes; 0: as many as the whole request

    def close(self) -> None:
        """Close the request's files, including those of a form that was not read to its end."""
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
        """Return the object to which werkzeug writes an uploaded file while it is received."""
        if not self.max_file_bytes:
            return super()._get_file_stream(
                total_content_length, content_type, filename, content_length
            )
        file = BoundedFile(self.max_file_bytes)
        self.__dict__.setdefault("bounded_files", []).append(file)
        return file


def file_size(file: FileStorage) -> int:
    """Return the size of an uploaded file in bytes, even if it was too large to be stored."""
    if isinstance(file.stream, BoundedFile):
        return file.stream.size
    end: int = file.seek(0, os.SEEK_END)
    file.seek(0)
    return end


def accepts_file[V: View](max_bytes: int, max_file_bytes: int = 0) -> Callable[[V], V]:
    """Declare a view that accepts files: the whole request may have `max_bytes`.

    Used together with `@may`. `max_file_bytes` is allowed for each of several files; a larger one
    is not stored, but the view runs and can say so (see `file_size`). 0: no limit of its own.
    """

    def mark_view(view: V) -> V:
        view.__dict__["max_bytes"], view.__dict__["max_file_bytes"] = max_bytes, max_file_bytes
        return view

    return mark_view


@screen.get("/too-large")
@public
def show_too_large() -> str:
    """Show the page, in the reader's language, for a request that nginx rejected as too large."""
    abort(413)


def init_app(app: Flask) -> None:
    """Check the size of every request before its view runs.

    Too many fields, or a field name that is too long, abort with 413; texts that are too long raise
    FieldTooLong.
    """

    @app.before_request
    def check_size() -> None:
        """Set the limits that the view declares, and check the fields and texts of a POST."""
        view = current_app.view_functions.get(request.endpoint or "")
        if view and "max_bytes" in view.__dict__:
            request.max_content_length = view.__dict__["max_bytes"]
            request.max_file_bytes = view.__dict__["max_file_bytes"]  # type: ignore[attr-defined]
        if request.method != "POST":
            return
        if not request.is_json and (
            len(request.form) > MAX_FORM_FIELDS
            or any(len(name) > MAX_FIELD_NAME_CHARACTERS for name in request.form)
        ):
            abort(413)
        longest = {
            n: limit
            for n, text in _submitted_texts()
            if len(text) > (limit := MAX_CHARACTERS_BY_FIELD.get(n, MAX_LINE_CHARACTERS))
        }
        if longest:
            raise FieldTooLong(longest)


def _submitted_texts() -> Iterator[tuple[str, str]]:
    """Yield (field, text) for every text of the submitted form or JSON.

    In JSON, the keys are texts as well, and the elements of a list belong to the list's field.
    """
    if not request.is_json:
        yield from request.form.items(multi=True)
        return
    try:
        pending = [("", request.get_json(silent=True))]
    except RecursionError:
        abort(400)
    while pending:
        name, value = pending.pop()
        if isinstance(value, str):
            yield name, value
        elif isinstance(value, dict):
            pending += [
                entry for key, child in value.items() for entry in ((name, key), (key, child))
            ]
        elif isinstance(value, list):
            pending += [(name, child) for child in value]
