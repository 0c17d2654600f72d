"""What comes of a call that is placed: Asterisk's DIALSTATUS, and the network's cause (Q.850)."""

from dataclasses import dataclass

from appliance.core.i18n import N_


@dataclass(frozen=True)
class DialStatus:
    """How an attempt to reach somebody ended, and the outcome that it makes."""

    code: str
    outcome: str  # of outcomes.OWN_OUTCOMES
    name: str  # a message id, said of a line


STATUSES = (
    DialStatus("ANSWER", "answered", N_("answered")),
    DialStatus("BUSY", "busy", N_("busy")),
    DialStatus("NOANSWER", "no_answer", N_("rang, nobody answered")),
    DialStatus("CANCEL", "no_answer", N_("was given up before an answer")),
    DialStatus("CONGESTION", "failed", N_("the line would not carry it")),
    DialStatus("CHANUNAVAIL", "failed", N_("the line did not answer")),
)
OUTCOME_OF = {status.code: status.outcome for status in STATUSES}
NOT_CARRIED = tuple(status.code for status in STATUSES if status.outcome == "failed")

ECHO = "*43"  # what a phone dials to hear itself; no call of the ledger

# Causes of ITU-T Q.850, as Asterisk writes them.
BUSY_CAUSES = {"17": "busy", "21": "rejected"}  # a phone that rang tells why nobody answered
CLEARED = frozenset({"0", "16", "19", "26", "127"})  # nothing went wrong
# Of a channel over an E1 only the cause tells whose doing its end was: these are given by a
# telephone (cleared, busy, no answer, rejected), others by a fault on the way.
BY_A_PERSON = frozenset({"16", "17", "18", "19", "21", "31"})
WHY = {
    "1": N_("there is no such number"),
    "20": N_("the phone is off or out of reach"),
    "21": N_("the call was rejected"),
    "27": N_("the phone is off or out of reach"),
    "34": N_("all lines are busy"),
}  # why a call failed, said to whoever placed it
