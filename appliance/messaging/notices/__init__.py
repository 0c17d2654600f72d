"""Notices about appeals to people outside, and their texts."""

from appliance.messaging.notices.citizens import (
    answer_data_request,
    list_opt_outs,
    messages_of_appeal,
    notify_answered,
    notify_registered,
    opt_in_number,
    opt_out_number,
)
from appliance.messaging.notices.duty import alert_appeal, alert_call, find_alert

__all__ = [
    "alert_appeal",
    "alert_call",
    "find_alert",
    "answer_data_request",
    "notify_answered",
    "messages_of_appeal",
    "opt_in_number",
    "opt_out_number",
    "list_opt_outs",
    "notify_registered",
]
