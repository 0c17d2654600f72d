"""Evidence packs for a complaint or a court: one signed file that explains its own verification.

A pack is a ZIP file about a call or an appeal. It contains the recordings, the registered forms and
their definitions, the course of events, the script and articles that were shown, the messages, who
viewed any of it, and `manifest.sha256` with the hash of every file. Only the manifest is signed, so
that a pack can be verified anywhere with `openssl` and `sha256sum`.

Packs are signed with the key of the audit, which only `appliance jobs` can read: an intruder in the
web process can request a pack, which is audited, but cannot sign anything. A signature of one kind
cannot be used as the other: a signed audit head begins with the word "audit", a manifest with a
hash.
"""

from appliance.reports.evidence import contents
from appliance.reports.evidence.packs import (
    RETENTION_PERIOD,
    can_make_packs,
    find_pack,
    make_pack,
    make_requested_packs,
    newest_request_time,
    pack_file,
    packs_of_appeal,
    packs_of_call,
    queue_pack,
    remove_pack,
    request_pack,
    visible_packs,
)
from appliance.reports.evidence.printing import HeadedTable
from appliance.reports.evidence.verification import Verdict, verify_pack

__all__ = [
    "RETENTION_PERIOD",
    "Verdict",
    "request_pack",
    "pack_file",
    "find_pack",
    "visible_packs",
    "make_pack",
    "make_requested_packs",
    "can_make_packs",
    "packs_of_appeal",
    "packs_of_call",
    "queue_pack",
    "remove_pack",
    "verify_pack",
    "newest_request_time",
    "HeadedTable",
    "contents",
]
