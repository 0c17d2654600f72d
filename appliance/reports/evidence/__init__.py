"""Evidence packs for a complaint or a court: one signed file that says by itself how to verify it.

A ZIP with the recordings, the form in its version, what happened, the script and articles that were
shown, the messages, who looked at any of it, and `manifest.sha256` with the hash of every file.
The manifest alone is signed, so that `openssl` and `sha256sum` verify it anywhere.

The key is that of the audit: `appliance jobs` alone can read it, so whoever breaks into the pages
can ask for a pack, which is audited, and sign nothing. Neither signature can pass for the other: a
head of the audit begins with the word "audit", a manifest with a hash.
"""

from appliance.reports.evidence.packs import (
    KEPT,
    Pack,
    Refused,
    ask,
    content,
    find,
    listed,
    make,
    make_asked,
    may_make,
    of_appeal,
    of_call,
    put,
    remove,
    waits,
)
from appliance.reports.evidence.verifying import Verdict, verify

__all__ = [
    "KEPT",
    "Pack",
    "Refused",
    "Verdict",
    "ask",
    "content",
    "find",
    "listed",
    "make",
    "make_asked",
    "may_make",
    "of_appeal",
    "of_call",
    "put",
    "remove",
    "verify",
    "waits",
]
