"""The ways out of the box: whether each works, since when, and how fast the internet is.

Only what the settings name is asked.
"""

from appliance.box.links.intervals import FRESH, current, observe, outage, recent
from appliance.box.links.parties import Party, watched
from appliance.box.links.rate import measure
from appliance.box.links.words import advice, title, unseen

__all__ = [
    "AGREED",
    "FRESH",
    "Availability",
    "Party",
    "advice",
    "current",
    "measure",
    "observe",
    "outage",
    "recent",
    "title",
    "unseen",
    "watched",
]
