"""The links to the outside: whether each works, since when, and the internet's rate.

Only parties that the settings name are contacted.
"""

from appliance.box.links.intervals import (
    MAX_LOOK_AGE,
    current_stretches,
    outage_since,
    recent_stretches,
    record_looks,
)
from appliance.box.links.parties import Party, watched_parties
from appliance.box.links.rate import measure_rate
from appliance.box.links.wording import link_title, outage_advice, unknown_link_texts

__all__ = [
    "AGREED",
    "MAX_LOOK_AGE",
    "Availability",
    "Party",
    "outage_advice",
    "current_stretches",
    "measure_rate",
    "record_looks",
    "outage_since",
    "recent_stretches",
    "link_title",
    "unknown_link_texts",
    "watched_parties",
]
