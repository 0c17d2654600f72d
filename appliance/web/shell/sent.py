"""What an address, a form or a program sends, brought within bounds before anything uses it."""

import datetime as dt
import json
import re
from typing import Any
from urllib.parse import urlsplit

from flask import abort, request
from werkzeug.routing import IntegerConverter

FAR = 2**62  # a greater number is none for the database
_LAST = dt.datetime(2100, 1, 1, tzinfo=dt.UTC).timestamp() * 1000
_MOST = 10**15  # of pages, too: times their length it is still a number for the database
_UNPRINTED = re.compile(r"[\x00-\x20\x7f]")


def ours(there: str) -> str:
    """An address within this site that may be gone to; "" for any other.

    Browsers pass over tabs and line ends in an address, and take a backslash for a slash.
    """
    if _UNPRINTED.search(there) or "\\" in there:
        return ""
    try:
        parts = urlsplit(there)
    except ValueError:
        return ""
    inside = there.startswith("/") and not there.startswith("//")
    return there if inside and not parts.netloc and not parts.scheme else ""


def is_address(text: str) -> bool:
    """Whether a text can be read as an address, whatever it leads to."""
    try:
        return urlsplit(text).port != 0
    except ValueError:
        return False


def whole(text: str, low: int, high: int) -> int | None:
    """The whole number that a text writes, None when it writes none from `low` to `high`."""
    if not re.fullmatch(r"-?\d{1,19}", text, re.ASCII):
        return None
    number = int(text)
    return number if low <= number <= high else None


def bounded(text: str) -> int:
    """A count, a page or an id, for `args.get(name, default, bounded)`. Raises ValueError."""
    found = whole(text, 0, _MOST)
    if found is None:
        raise ValueError(f"no number from 0 on: {text[:40]!r}")
    return found


def moment(milliseconds: object) -> dt.datetime | None:
    """A browser's milliseconds since 1970; None for what is no moment of these times."""
    if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
        return None
    if not 0 <= milliseconds <= _LAST:  # not a number is neither
        return None
    return dt.datetime.fromtimestamp(milliseconds / 1000, dt.UTC)


def fields() -> dict[str, Any] | None:
    """The JSON object that was sent; None for anything else, and for text that is none."""
    try:
        sent = request.get_json(silent=True)
        json.dumps(sent, ensure_ascii=False).encode()
    except (RecursionError, UnicodeEncodeError):  # nested without end; half of a letter
        return None
    return sent if isinstance(sent, dict) else None


def document() -> dict[str, Any]:
    """The JSON object that was sent; 422 for anything else."""
    sent = fields()
    return abort(422) if sent is None else sent


class Number(IntegerConverter):
    """A number in an address that the database can hold; a longer one is no page."""

    regex = r"\d{1,18}"
