"""What people outside are told of an appeal, and in which words."""

from appliance.notices.citizens import (
    answered,
    of_appeal,
    opt_in,
    opt_out,
    opted_out,
    reaches,
    registered,
    write,
)
from appliance.notices.duty import alert

__all__ = [
    "alert",
    "answered",
    "of_appeal",
    "opt_in",
    "opt_out",
    "opted_out",
    "reaches",
    "registered",
    "write",
]
