"""What a fault means for calls, so that a technician sees in one line how urgent it is."""

from appliance.box.health.check import Check
from appliance.core.i18n import N_

_NO_CALLS = N_("Calls are not accepted.")
_LEDGER_INCOMPLETE = N_(
    "Calls continue; the ledger and the reports are incomplete until this is fixed."
)
_MESSAGES_WAIT = N_("Calls continue; messages to citizens and to the people on duty are waiting.")
_LINE_DOWN = N_("There are no calls over this line; other lines carry them, if there are any.")
_LESS_RECOVERABLE = N_("Calls continue; after a loss of the server, less could be restored.")
_SILENT_PROMPTS = N_("Silence is played to callers instead.")
_PAGES_UNUSABLE = N_("Calls continue; operators cannot work with the pages.")
_CALLS_UNAFFECTED = N_("Calls continue.")
# Consequences by prefix of a check's code; more specific prefixes first.
_CONSEQUENCES: tuple[tuple[str, str], ...] = (
    ("asterisk.update", _CALLS_UNAFFECTED),
    ("asterisk.advisories", _CALLS_UNAFFECTED),
    ("release.expiry", _CALLS_UNAFFECTED),
    ("asterisk.sip", _NO_CALLS),
    ("asterisk.queues", N_("Callers are not queued: nobody answers them.")),
    ("asterisk.modules", N_("Some calls may be handled incorrectly.")),
    ("asterisk.dialplan", N_("Callers may be cut off, or get no sound.")),
    ("asterisk.queue_settings", N_("Calls are distributed differently from your choice.")),
    (
        "asterisk.files",
        N_("Calls continue; after its next start the exchange will work differently."),
    ),
    ("asterisk.places", N_("Calls for these operators may ring elsewhere.")),
    ("asterisk.descriptors", N_("New calls fail once all of them are in use.")),
    ("asterisk.wss", N_("Callers are waiting for phones that cannot be rung.")),
    ("asterisk.folders", N_("Some calls may be handled incorrectly.")),
    ("asterisk.", _LINE_DOWN),
    ("asterisk", _NO_CALLS),
    ("trunk.", _LINE_DOWN),
    ("span.", _LINE_DOWN),
    ("process.pbx", N_("Calls continue; the ledger and the live pages are not updated.")),
    ("process.jobs", N_("Calls continue; messages, reports and snapshots are waiting.")),
    ("process.web", _PAGES_UNUSABLE),
    ("front", _PAGES_UNUSABLE),
    ("database", N_("Calls continue and are logged; the pages may be unable to save anything.")),
    ("sqlite", N_("Calls continue; saved data may be lost, or the database damaged.")),
    ("operators.", N_("These callers are waiting, and nobody answers them.")),
    ("answer_time.", N_("Calls continue; citizens wait longer than the contract promises.")),
    ("phones", N_("Callers are waiting for phones that cannot be rung.")),
    ("directory.", _CALLS_UNAFFECTED),
    ("carrier_call.", N_("Calls over this line may fail or lack sound.")),
    ("callers.", N_("Calls continue; operators and reports do not see who is calling.")),
    ("refused", N_("Calls from that address do not get through.")),
    ("prompts", _SILENT_PROMPTS),
    ("music", _SILENT_PROMPTS),
    ("event_log.old", _CALLS_UNAFFECTED),
    ("event_log", _LEDGER_INCOMPLETE),
    ("balance", _LEDGER_INCOMPLETE),
    ("recording", N_("Calls continue; conversations may lack a recording.")),
    ("disk.temporary", _PAGES_UNUSABLE),
    ("keys", _LESS_RECOVERABLE),
    ("disk.", N_("Calls continue; once the disk is full, conversations are no longer recorded.")),
    ("callbacks", N_("Calls continue; people waiting for a callback wait longer.")),
    ("link.sms", _MESSAGES_WAIT),
    ("link.telegram", _MESSAGES_WAIT),
    ("link.", N_("Calls continue; everything that uses this link is waiting.")),
    ("sms", _MESSAGES_WAIT),
    ("telegram", _MESSAGES_WAIT),
    ("outbox", _MESSAGES_WAIT),
    ("ministry", N_("Calls continue; appeals reach the ministry's system late.")),
    ("snapshot", _LESS_RECOVERABLE),
    ("drill", _LESS_RECOVERABLE),
    ("replica", _LESS_RECOVERABLE),
    ("repository", _LESS_RECOVERABLE),
    ("job", N_("Calls continue; this job is late.")),
    ("reports", N_("Calls continue; this job is late.")),
)


_HARMLESS_WARNINGS = ("prompts", "music")  # codes whose warnings do not affect the sound


def call_consequence(check: Check) -> str:
    """Return the consequence of a warning or failing check for calls, as a message id."""
    if check.state == "warn" and check.code in _HARMLESS_WARNINGS:
        return _CALLS_UNAFFECTED
    return next(
        (text for prefix, text in _CONSEQUENCES if check.code.startswith(prefix)), _CALLS_UNAFFECTED
    )
