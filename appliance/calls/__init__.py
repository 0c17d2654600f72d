"""The ledger: the life of a call, and every query on calls."""

from appliance.calls.balancing import Balance, arrivals, balance
from appliance.calls.exporting import export
from appliance.calls.facts import (
    OUTCOMES,
    OWN_OUTCOMES,
    CallFacts,
    DialFacts,
    RingFacts,
    TalkFacts,
    TransferFacts,
    VisitFacts,
)
from appliance.calls.life import Card, Happened, card
from appliance.calls.listing import OPEN, Listed, counted, listed, talking
from appliance.calls.queries import earlier, inbound, last_of_operator, of_operator
from appliance.calls.storing import forget, store

__all__ = [
    "OPEN",
    "OUTCOMES",
    "OWN_OUTCOMES",
    "Balance",
    "CallFacts",
    "Card",
    "DialFacts",
    "Happened",
    "Listed",
    "RingFacts",
    "TalkFacts",
    "TransferFacts",
    "VisitFacts",
    "arrivals",
    "balance",
    "card",
    "counted",
    "earlier",
    "export",
    "forget",
    "inbound",
    "last_of_operator",
    "listed",
    "of_operator",
    "store",
    "talking",
]
