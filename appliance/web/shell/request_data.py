"""Values from an address, a form or a program, checked for their bounds before they are used."""

import datetime as dt
import json
import re
from typing import Any
from urllib.parse import urlsplit

from flask import abort, request
from werkzeug.routing import IntegerConverter

MAX_DATABASE_INTEGER = 2**62  # the database stores no greater number
_LATEST_MILLISECONDS = dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp() * 1000
_MAX_COUNT = 10**15  # of pages as well: times their length it is still an integer for the database
_CONTROL_CHARACTERS = re.compile(r"[\x00-\x20\x7f]")


def local_address(address: str) -> str:
    """Return the address if it leads within this site, otherwise "".

    Browsers ignore tabs and line ends in an address, and read a backslash as a slash.
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
    """Return True if a text can be parsed as an address, wherever it leads."""
    try:
        return urlsplit(text).port != 0
    except ValueError:
        return False


def parse_integer(text: str, low: int, high: int) -> int | None:
    """Return the integer of a text, if it is one from `low` to `high`."""
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        return None
    number = int(text)
    return number if low <= number <= high else None


def parse_count(text: str) -> int:
    """Parse a count, a page or an id: `args.get(name, default, parse_count)`.

    Raises ValueError for anything but an integer from 0 on.
    """
    number = parse_integer(text, 0, _MAX_COUNT)
    if number is None:
        raise ValueError(f"no number from 0 on: {text[:40]!r}")
    return number


def page_number() -> int:
    """Return the page of a list that the address requests (`page`), from 1 on."""
    return max(1, request.args.get("page", 1, parse_count))


def browser_time(milliseconds: object) -> dt.datetime | None:
    """Convert a browser's milliseconds since 1970 to a time, if it is between 1970 and 2100."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 <= milliseconds <= _LATEST_MILLISECONDS:  # excludes NaN, too
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def json_object() -> dict[str, Any] | None:
    """Return the JSON object of the request, if it contains a valid one."""
    try:
        body = request.get_json(silent=True)
        json.dumps(body, ensure_ascii=False).encode()
    except (RecursionError, UnicodeEncodeError):  # nested too deeply; half of a surrogate pair
        return None
    return body if isinstance(body, dict) else None


def require_json_object() -> dict[str, Any]:
    """Return the JSON object of the request; abort with 422 for anything else."""
    body = json_object()
    return abort(422) if body is None else body


class BoundedIntegerConverter(IntegerConverter):
    """An integer in a URL that the database can store; a longer one is not found."""

    regex = r"\d{1,18}"
