"""Recordings of calls: what is kept of them, and who heard them and why."""

from appliance.recordings.keeping import (
    compressed_since,
    keep,
    of_call,
    there,
    uncompressed,
    unfinished,
    write_down,
)
from appliance.recordings.listening import (
    NoReason,
    NotAllowed,
    allow,
    begin,
    may_listen,
    reason_of,
)

__all__ = [
    "NoReason",
    "NotAllowed",
    "allow",
    "begin",
    "compressed_since",
    "keep",
    "may_listen",
    "of_call",
    "reason_of",
    "there",
    "uncompressed",
    "unfinished",
    "write_down",
]
