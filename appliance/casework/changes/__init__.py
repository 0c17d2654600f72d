"""Change requests of the ministry: terms, states, files, what was changed for them (A10)."""

from appliance.casework.changes import states
from appliance.casework.changes.errors import ChangeError
from appliance.casework.changes.files import LARGEST, MOST, Sent
from appliance.casework.changes.links import link
from appliance.casework.changes.requests import (
    Counts,
    ask,
    counts,
    do,
    find,
    finished,
    is_near,
    listed,
    opened,
    steps,
    waiting,
)

__all__ = [
    "LARGEST",
    "MOST",
    "ChangeError",
    "Counts",
    "Sent",
    "ask",
    "counts",
    "do",
    "find",
    "finished",
    "is_near",
    "link",
    "listed",
    "opened",
    "states",
    "steps",
    "waiting",
]
