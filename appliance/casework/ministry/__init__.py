"""The ministry's own system: every appeal and change goes there, answers and states come back.

By HTTP (jobs.ministry) or, where there is no link, by signed files (files). Off without a
[ministry] part in the settings.
"""

from appliance.casework.ministry.answers import WHO, take_in, undone
from appliance.casework.ministry.mapping import Unmapped, document
from appliance.casework.ministry.queue import (
    Standing,
    ageing,
    catch_up,
    changed,
    of_appeal,
    registered,
    standing,
)

__all__ = [
    "WHO",
    "Standing",
    "Unmapped",
    "ageing",
    "catch_up",
    "changed",
    "document",
    "of_appeal",
    "registered",
    "standing",
    "take_in",
    "undone",
]
