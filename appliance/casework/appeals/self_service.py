"""What a caller who keys in an appeal's number is told: its state, nothing of its contents."""

import datetime as dt
import re

from appliance.casework.appeals import handling, states
from appliance.models import Appeal

_WORDS = {state.code: state.spoken for state in states.ALL}


def by_keys(keys: str, today: dt.date) -> Appeal | None:
    """The appeal of the keys pressed: year and number (2026000123), or the number alone.

    A number alone is one of this year; when this year has not come so far, of last year.
    """
    if not re.fullmatch(r"\d{1,10}", keys, re.ASCII):
        return None
    if len(keys) == 10:
        return _numbered(int(keys[:4]), int(keys[4:]))
    return _numbered(today.year, int(keys)) or _numbered(today.year - 1, int(keys))


def spoken_state(appeal: Appeal) -> str:
    """Its state, as states.State.spoken."""
    return _WORDS[handling.state_of(appeal)]


def _numbered(year: int, number: int) -> Appeal | None:
    return Appeal.get_or_none(Appeal.number == f"{year}-{number:06d}")
