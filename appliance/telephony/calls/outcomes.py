"""The outcomes of calls, each with the properties that pages, reports and tasks use.

docs/developing.md describes how to add one.
"""

from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class Outcome:
    """One way in which a call ends; `code` is used in the ledger, in exports and in URLs."""

    code: str
    name: str  # a message id
    tone: str = ""  # of its badge: ok | warn | bad | "" (neutral)
    icon: str = "phone-missed"
    follow_up: bool = False  # the caller has to be called back
    counted: bool = True  # the figures count the call as an incoming call


INBOUND_OUTCOMES = (
    Outcome("answered", N_("Answered"), "ok", "check"),
    Outcome("abandoned_menu", N_("Hung up in the menu"), follow_up=True),
    Outcome("abandoned_queue", N_("Gave up in the queue"), "warn", follow_up=True),
    Outcome("callback", N_("Asked to be called back"), icon="phone-incoming", follow_up=True),
    Outcome("timed_out", N_("Nobody answered"), "warn", "hourglass", follow_up=True),
    Outcome("closed", N_("Called outside working hours"), icon="clock", follow_up=True),
    Outcome("self_served", N_("Served by the menu"), icon="user-check"),
    Outcome("rejected", N_("Rejected"), icon="phone-off", counted=False),
    Outcome("failed", N_("Fault"), "bad", "octagon-alert", follow_up=True),
)
# Outcomes of calls that the site placed itself, and of calls between two of its phones.
OUTBOUND_OUTCOMES = (
    Outcome("answered", N_("Answered"), "ok", "check"),
    Outcome("busy", N_("Busy"), "warn", "phone-off"),
    Outcome("no_answer", N_("No answer"), "warn"),
    Outcome("failed", N_("Fault"), "bad", "octagon-alert"),
)

INBOUND_CODES = tuple(outcome.code for outcome in INBOUND_OUTCOMES)
OUTBOUND_CODES = tuple(outcome.code for outcome in OUTBOUND_OUTCOMES)
FOLLOW_UP_CODES = tuple(outcome.code for outcome in INBOUND_OUTCOMES if outcome.follow_up)
UNCOUNTED_CODES = tuple(outcome.code for outcome in INBOUND_OUTCOMES if not outcome.counted)
# Also used for the result of an attempt to transfer a caller.
UNREACHED_CODES = tuple(code for code in OUTBOUND_CODES if code != "answered")
