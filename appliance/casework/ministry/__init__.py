"""The exchange with the ministry's system: sends appeals and changes, receives answers and states.

By HTTP (courier) or, where there is no link, by signed files (files). Disabled without a
[ministry] part in the settings.
"""

from appliance.casework.ministry.events import process_event, unprocessed_events
from appliance.casework.ministry.mapping import UnmappedCodeError, ministry_document
from appliance.casework.ministry.queue import (
    MINISTRY_ACTOR,
    ExchangeBacklog,
    exchange_backlog,
    latest_message,
    queue_appeal,
    queue_change,
    queue_earlier_appeals,
    unacknowledged_messages,
)

__all__ = [
    "MINISTRY_ACTOR",
    "ExchangeBacklog",
    "UnmappedCodeError",
    "unacknowledged_messages",
    "queue_earlier_appeals",
    "queue_change",
    "ministry_document",
    "latest_message",
    "queue_appeal",
    "exchange_backlog",
    "process_event",
    "unprocessed_events",
]
