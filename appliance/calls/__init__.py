"""The ledger: the life of a call, and every query on calls."""

from appliance.calls.balancing import Balance, arrivals, balance
from appliance.calls.exporting import export
from appliance.calls.facts import OUTCOMES, CallFacts, RingFacts, TalkFacts, VisitFacts
from appliance.calls.going_on import STAGES, LiveCall, going_on
from appliance.calls.listing import OPEN, Listed, counted, listed, talking
from appliance.calls.queries import earlier, inbound, last_of_operator, of_operator
from appliance.calls.storing import store

__all__ = [
    "OPEN",
    "OUTCOMES",
    "STAGES",
    "Balance",
    "CallFacts",
    "Listed",
    "LiveCall",
    "RingFacts",
    "TalkFacts",
    "VisitFacts",
    "arrivals",
    "balance",
    "counted",
    "earlier",
    "export",
    "going_on",
    "inbound",
    "last_of_operator",
    "listed",
    "of_operator",
    "store",
    "talking",
]
