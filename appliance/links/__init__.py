"""The ways out of the box: whether each works, since when, and how fast the internet is.

Only what the settings name is asked.
"""

from appliance.links.parties import Party, watched
from appliance.links.rate import AGREED, measure, rates
from appliance.links.stretches import (
    FRESH,
    Availability,
    availability,
    current,
    observe,
    outage,
    recent,
)
from appliance.links.words import advice, title, unseen

__all__ = [
    "AGREED",
    "FRESH",
    "Availability",
    "Party",
    "advice",
    "availability",
    "current",
    "measure",
    "observe",
    "outage",
    "rates",
    "recent",
    "title",
    "unseen",
    "watched",
]
