"""The result of a call that was placed: Asterisk's DIALSTATUS and the network's cause (Q.850)."""

from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class DialStatus:
    """How an attempt to reach somebody ended, and the call outcome that results from it."""

    code: str
    outcome: str  # one of outcomes.OUTBOUND_CODES
    name: str  # a message id that completes a sentence about a trunk


DIAL_STATUSES = (
    DialStatus("ANSWER", "answered", N_("answered")),
    DialStatus("BUSY", "busy", N_("busy")),
    DialStatus("NOANSWER", "no_answer", N_("rang, and nobody answered")),
    DialStatus("CANCEL", "no_answer", N_("was interrupted before an answer")),
    DialStatus("CONGESTION", "failed", N_("the line did not put the call through")),
    DialStatus("CHANUNAVAIL", "failed", N_("the line did not answer")),
)
OUTCOME_BY_STATUS = {status.code: status.outcome for status in DIAL_STATUSES}
FAILED_STATUSES = tuple(status.code for status in DIAL_STATUSES if status.outcome == "failed")

ECHO_EXTENSION = (
    "*43"  # the number that a phone dials for an echo test; the ledger leaves such calls out
)

# Causes of ITU-T Q.850, as Asterisk writes them.
BUSY_CAUSES = {"17": "busy", "21": "rejected"}  # why a phone that rang was not answered
NORMAL_CAUSES = frozenset({"0", "16", "19", "26", "127"})  # no fault
# Over an E1 only the cause shows who ended a channel: these causes come from a telephone (cleared,
# busy, no answer, rejected), all others from a fault on the way.
CAUSES_BY_PERSON = frozenset({"16", "17", "18", "19", "21", "31"})
# The reason why a call failed, as shown to the person who placed it, by cause.
FAILURE_REASONS = {
    "1": N_("there is no such number"),
    "20": N_("the phone is off or out of reach"),
    "21": N_("the call was rejected"),
    "27": N_("the phone is off or out of reach"),
    "34": N_("all lines are busy"),
}
