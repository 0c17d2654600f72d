"""What a fault means for calls: a technician who reads one line knows how much haste there is."""

from appliance.box.health.check import Check
from appliance.core.i18n import N_

_SILENT = N_("No calls are taken.")
_LEDGER = N_("Calls go on; the ledger and the reports lack some until it is mended.")
_MESSAGES = N_("Calls go on; messages to citizens and to the duty wait.")
_ONE_LINE = N_("No calls over this line; the others carry them, if there are any.")
_LOSS = N_("Calls go on; after a loss of the box, less could be brought back.")
_VOICE = N_("Callers hear silence in its place.")
_PAGES = N_("Calls go on; operators cannot work with the pages.")
_UNTOUCHED = N_("Calls go on.")
# How codes of checks begin, the more special first.
_MEANINGS: tuple[tuple[str, str], ...] = (
    ("asterisk.update", _UNTOUCHED),
    ("asterisk.advisories", _UNTOUCHED),
    ("release.expiry", _UNTOUCHED),
    ("asterisk.sip", _SILENT),
    ("asterisk.queues", N_("Callers are not queued: nobody answers them.")),
    ("asterisk.modules", N_("Some calls may go wrong.")),
    ("asterisk.dialplan", N_("Callers may be cut off, or hear nothing.")),
    ("asterisk.queue_settings", N_("Calls are shared out otherwise than you chose.")),
    ("asterisk.files", N_("Calls go on; at the next start the exchange works otherwise.")),
    ("asterisk.places", N_("Calls for these operators may ring elsewhere.")),
    ("asterisk.descriptors", N_("New calls fail once all are in use.")),
    ("asterisk.wss", N_("Callers wait for phones that cannot be rung.")),
    ("asterisk.folders", N_("Some calls may go wrong.")),
    ("asterisk.", _ONE_LINE),
    ("asterisk", _SILENT),
    ("trunk.", _ONE_LINE),
    ("span.", _ONE_LINE),
    ("process.pbx", N_("Calls go on; the ledger and the live pages stand still.")),
    ("process.jobs", N_("Calls go on; messages, reports and snapshots wait.")),
    ("process.web", _PAGES),
    ("front", _PAGES),
    ("database", N_("Calls go on and are logged; the pages may save nothing.")),
    ("sqlite", N_("Calls go on; what is saved may be lost, or the database damaged.")),
    ("operators.", N_("These callers wait, and nobody answers them.")),
    ("phones", N_("Callers wait for phones that cannot be rung.")),
    ("directory.", _UNTOUCHED),
    ("carrier_call.", N_("Calls over this line may fail or lack sound.")),
    ("callers.", N_("Calls go on; operators and reports do not see who calls.")),
    ("refused", N_("Whoever calls over that address is not heard.")),
    ("prompts", _VOICE),
    ("music", _VOICE),
    ("event_log.old", _UNTOUCHED),
    ("event_log", _LEDGER),
    ("balance", _LEDGER),
    ("recording", N_("Calls go on; talks may lack their recording.")),
    ("disk.temporary", _PAGES),
    ("keys", _LOSS),
    ("disk.", N_("Calls go on; once it is full, talks are not recorded any more.")),
    ("callbacks", N_("Calls go on; those who are called back wait longer.")),
    ("link.sms", _MESSAGES),
    ("link.telegram", _MESSAGES),
    ("link.", N_("Calls go on; what goes over this link waits.")),
    ("sms", _MESSAGES),
    ("telegram", _MESSAGES),
    ("outbox", _MESSAGES),
    ("ministry", N_("Calls go on; appeals reach the ministry's system late.")),
    ("snapshot", _LOSS),
    ("drill", _LOSS),
    ("replica", _LOSS),
    ("repository", _LOSS),
    ("job", N_("Calls go on; this work is late.")),
    ("reports", N_("Calls go on; this work is late.")),
)


_HEARD_ALL_THE_SAME = ("prompts", "music")  # when they only warn


def meaning(check: Check) -> str:
    """What a check that is not in order means for calls, as a message id."""
    if check.state == "warn" and check.code in _HEARD_ALL_THE_SAME:
        return _UNTOUCHED
    return next((what for begin, what in _MEANINGS if check.code.startswith(begin)), _UNTOUCHED)
