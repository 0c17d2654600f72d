"""Values from a URL, a form or a program, checked for their bounds before they are used.

"Address" means the URL here.
"""

import datetime as dt
import json
import re
from typing import Any
from urllib.parse import urlsplit

from flask import abort, request
from werkzeug.routing import IntegerConverter

MAX_DATABASE_INTEGER = 2**62  # the database stores no greater number
_LATEST_MILLISECONDS = dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp() * 1000
_MAX_COUNT = 10**15  # a page number times the rows of a page is still an integer for the database
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x20\x7f]")


def local_address(address: str) -> str:
    """Return the address if it leads to a page of this site, otherwise "".

    Control characters and backslashes are not accepted: browsers ignore tabs and line ends in an
    address, and read a backslash as a slash.
    """
    if _CONTROL_CHARACTERS.search(address) or "\\" in address:
        return ""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    is_path = address.startswith("/") and not address.startswith("//")
    return address if is_path and not parts.netloc and not parts.scheme else ""


def is_address(text: str) -> bool:
    """Return True if a text can be parsed as a URL, of this site or another.

    An empty text is accepted; a port out of range is not.
    """
    try:
        return urlsplit(text).port != 0
    except ValueError:
        return False


def parse_integer(text: str, low: int, high: int) -> int | None:
    """Return the integer that a text consists of, if it is from `low` to `high`."""
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        return None
    number = int(text)
    return number if low <= number <= high else None


def parse_count(text: str) -> int:
    """Return the non-negative integer of a text: a count, a page number or an id.

    Used as `args.get(name, default, parse_count)`. Raises ValueError for any other text.
    """
    number = parse_integer(text, 0, _MAX_COUNT)
    if number is None:
        raise ValueError(f"no number from 0 on: {text[:40]!r}")
    return number


def page_number() -> int:
    """Return the number of the list page that the address requests (`page`), counted from 1."""
    return max(1, request.args.get("page", 1, parse_count))


def browser_time(milliseconds: object) -> dt.datetime | None:
    """Return the time for a browser's milliseconds since 1970.

    Returns None if they are not a number, or not between 1970 and 2100.
    """
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 <= milliseconds <= _LATEST_MILLISECONDS:  # excludes NaN, too
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def json_object() -> dict[str, Any] | None:
    """Return the body of the request, if it is a JSON object."""
    try:
        body = request.get_json(silent=True)
        json.dumps(body, ensure_ascii=False).encode()
    except (RecursionError, UnicodeEncodeError):  # nested too deeply; half of a surrogate pair
        return None
    return body if isinstance(body, dict) else None


def require_json_object() -> dict[str, Any]:
    """Return the JSON object of the request; abort with 422 if its body is anything else."""
    body = json_object()
    return abort(422) if body is None else body


class BoundedIntegerConverter(IntegerConverter):
    """An integer in a URL, short enough for the database; a URL with a longer one gets 404."""

    regex = r"\d{1,18}"
