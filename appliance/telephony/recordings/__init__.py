"""Recordings of calls: what is kept of them, and who heard them and why."""

from appliance.telephony.recordings.keeping import (
    compressed_since,
    of_call,
    set_kept_file,
    there,
    uncompressed,
    unfinished,
    write_down,
)
from appliance.telephony.recordings.listening import (
    NoReason,
    NotAllowed,
    allow,
    begin,
    is_allowed,
    may_be_allowed,
    may_listen,
    reason_of,
    take,
)

__all__ = [
    "NoReason",
    "NotAllowed",
    "allow",
    "begin",
    "compressed_since",
    "is_allowed",
    "may_be_allowed",
    "may_listen",
    "of_call",
    "reason_of",
    "set_kept_file",
    "take",
    "there",
    "uncompressed",
    "unfinished",
    "write_down",
]
