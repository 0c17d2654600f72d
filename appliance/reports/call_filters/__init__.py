"""Which inbound calls a figure is of: a period, narrowed down by what is asked of each call.

A filter is written in an address as plain words, so that a view can be sent, and every figure of a
report is the number of calls in one filter.
"""

from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.conditions import (
    CONDITIONS,
    FLAGS,
    NONE,
    conditions_of,
    from_address,
    repeated,
)
from appliance.reports.call_filters.parts import (
    KEYS,
    First,
    Joined,
    call_direction,
    call_type,
    first_operator,
    has_appeal,
    has_form,
    has_transfer,
    hour,
    key,
    number,
    own_field,
    own_key,
    region,
    topic,
)

__all__ = [
    "CONDITIONS",
    "FLAGS",
    "KEYS",
    "NONE",
    "CallFilter",
    "First",
    "Joined",
    "call_direction",
    "call_type",
    "first_operator",
    "from_address",
    "has_appeal",
    "has_form",
    "has_transfer",
    "hour",
    "key",
    "number",
    "own_field",
    "own_key",
    "region",
    "repeated",
    "topic",
    "conditions_of",
]
