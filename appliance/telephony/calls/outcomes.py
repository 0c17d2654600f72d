"""How calls end: each outcome once, with all that pages, reports and tasks derive from it.

How one is added stands in docs/developing.md.
"""

from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class Outcome:
    """One way in which a call ends; `code` stands in the ledger, in exports and in addresses."""

    code: str
    name: str  # a message id
    tone: str = ""  # of its badge: ok | warn | bad | "" (neutral)
    icon: str = "phone-missed"
    follow_up: bool = False  # whoever called is to be called back
    counted: bool = True  # one of the incoming calls that figures are of


INBOUND = (
    Outcome("answered", N_("Answered"), "ok", "check"),
    Outcome("abandoned_menu", N_("Hung up in the menu"), follow_up=True),
    Outcome("abandoned_queue", N_("Hung up in the queue"), "warn", follow_up=True),
    Outcome("callback", N_("Asked to be called back"), icon="phone-incoming", follow_up=True),
    Outcome("timed_out", N_("Nobody answered"), "warn", "hourglass", follow_up=True),
    Outcome("closed", N_("Heard the closed message"), icon="clock", follow_up=True),
    Outcome("self_served", N_("Served by the menu"), icon="user-check"),
    Outcome("rejected", N_("Rejected"), icon="phone-off", counted=False),
    Outcome("failed", N_("Fault"), "bad", "octagon-alert", follow_up=True),
)
# What became of a call that the site placed itself, and of one between two of its phones.
OUTBOUND = (
    Outcome("answered", N_("Answered"), "ok", "check"),
    Outcome("busy", N_("Busy"), "warn", "phone-off"),
    Outcome("no_answer", N_("No answer"), "warn"),
    Outcome("failed", N_("Fault"), "bad", "octagon-alert"),
)

OUTCOMES = tuple(outcome.code for outcome in INBOUND)
OWN_OUTCOMES = tuple(outcome.code for outcome in OUTBOUND)
FOLLOWED_UP = tuple(outcome.code for outcome in INBOUND if outcome.follow_up)
NOT_COUNTED = tuple(outcome.code for outcome in INBOUND if not outcome.counted)
UNREACHED = tuple(
    code for code in OWN_OUTCOMES if code != "answered"
)  # also of an attempt to pass a caller on
