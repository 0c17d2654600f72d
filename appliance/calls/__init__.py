"""The ledger: the life of a call, and every query on calls."""

from appliance.calls.balancing import Balance, Lack, arrivals, balance
from appliance.calls.course import Step, course
from appliance.calls.exporting import export
from appliance.calls.facts import (
    OUTCOMES,
    OWN_OUTCOMES,
    CallFacts,
    DialFacts,
    RecordingFacts,
    RingFacts,
    TalkFacts,
    TransferFacts,
    VisitFacts,
)
from appliance.calls.going_on import STAGES, LiveCall, going_on
from appliance.calls.listing import OPEN, Listed, counted, listed, talking
from appliance.calls.queries import earlier, inbound, last_of_operator, of_operator
from appliance.calls.storing import forget, store

__all__ = [
    "OPEN",
    "OUTCOMES",
    "OWN_OUTCOMES",
    "STAGES",
    "Balance",
    "CallFacts",
    "DialFacts",
    "Lack",
    "Listed",
    "LiveCall",
    "RecordingFacts",
    "RingFacts",
    "TalkFacts",
    "Step",
    "TransferFacts",
    "VisitFacts",
    "arrivals",
    "balance",
    "counted",
    "course",
    "earlier",
    "export",
    "forget",
    "going_on",
    "inbound",
    "last_of_operator",
    "listed",
    "of_operator",
    "store",
    "talking",
]
