"""Reads Asterisk's event log into the ledger (the database's calls), in three phases.

To project a call means to do all three of them.

  1. Gather: `chunks` splits a log into records, `records` stores each of them once and finds them
     again, `gathering` collects everything that is stored about one call.
  2. Interpret: `appliance.pbx.interpret` derives the call from that, without database or clock.
  3. Store: `projection` writes the call's row, after it has called the other two.
"""

from appliance.pbx.ledger.fragments import count_record_fragments
from appliance.pbx.ledger.projection import call_projector, project_call
from appliance.pbx.ledger.reading import (
    read_log,
    record_event,
    retry_quarantined_calls,
    store_events,
)
from appliance.pbx.ledger.records import channel_ids

__all__ = [
    "call_projector",
    "channel_ids",
    "count_record_fragments",
    "project_call",
    "read_log",
    "record_event",
    "retry_quarantined_calls",
    "store_events",
]
