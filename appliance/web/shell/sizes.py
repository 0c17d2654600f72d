"""How much may be sent, bounded before anything reads or keeps it."""

from collections.abc import Callable, Iterator

from flask import Blueprint, Flask, abort, current_app, request
from werkzeug.exceptions import RequestEntityTooLarge

from appliance.web.shell.access import View, public

screen = Blueprint("sizes", __name__)

# characters of one field; several times what the longest true ones hold
LINE, TEXT = 2_000, 20_000
FIELDS, NAME = 5_000, 200  # in one form, and characters of a field's name
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


def takes_file[V: View](largest: int) -> Callable[[V], V]:
    """Declare a view that takes a file: `largest` bytes may be sent. Stands beside `@may`."""

    def declare(view: V) -> V:
        view.__dict__["largest"] = largest
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
