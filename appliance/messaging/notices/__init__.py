"""What people outside are told of an appeal, and in which words."""

from appliance.messaging.notices.citizens import (
    answer_own_data,
    answered,
    of_appeal,
    opt_in,
    opt_out,
    opted_out,
    registered,
)
from appliance.messaging.notices.duty import alert, alert_call, alert_of

__all__ = [
    "alert",
    "alert_call",
    "alert_of",
    "answer_own_data",
    "answered",
    "of_appeal",
    "opt_in",
    "opt_out",
    "opted_out",
    "registered",
]
