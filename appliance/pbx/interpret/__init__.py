"""Derives calls from the event log's records. Pure functions: no database, no clock.

What they need is gathered first (pbx.ledger.gathering) and passed in as `CallRecords`.
"""

from appliance.pbx.interpret.call_records import Boot, CallRecords, PlacedCall
from appliance.pbx.interpret.clock_correction import (
    CLOCK_STEP_RANGE,
    ClockStep,
    clock_step,
    correct_clock_steps,
)
from appliance.pbx.interpret.connections import Connection, phone_connections
from appliance.pbx.interpret.interpreter import (
    InterpretedCall,
    interpret_call,
    interpret_records,
)
from appliance.pbx.interpret.linkedids import (
    calls_without_beginning,
    first_record,
    oldest_linkedid,
    records_of_call,
    root_linkedids,
)
from appliance.pbx.interpret.second_calls import (
    END_TOLERANCE,
    MAX_TALK,
    is_part_of_talk,
    times_to_search,
)

__all__ = [
    "CLOCK_STEP_RANGE",
    "END_TOLERANCE",
    "MAX_TALK",
    "Boot",
    "CallRecords",
    "ClockStep",
    "Connection",
    "InterpretedCall",
    "PlacedCall",
    "calls_without_beginning",
    "clock_step",
    "correct_clock_steps",
    "first_record",
    "interpret_call",
    "interpret_records",
    "is_part_of_talk",
    "oldest_linkedid",
    "phone_connections",
    "records_of_call",
    "root_linkedids",
    "times_to_search",
]
