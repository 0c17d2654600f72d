"""The inbound calls that a figure counts: a period, restricted by conditions on each call.

A filter is written in an address as readable query parameters, so that a view can be shared, and
every figure of a report is the number of calls in one filter.
"""

from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.conditions import (
    CONDITIONS,
    FLAG_CONDITIONS,
    MISSING_VALUE,
    calls_per_number,
    filter_from_query,
    sql_conditions,
)
from appliance.reports.call_filters.expressions import (
    KEY_EXPRESSIONS,
    FirstRecordColumn,
    JoinedRecords,
    added_field_key,
    added_field_query,
    call_direction_expression,
    call_type_expression,
    dialled_number,
    first_operator,
    has_appeal,
    has_form,
    has_transfer,
    hours_since_epoch,
    key_expression,
    region_expression,
    topic_expression,
)

__all__ = [
    "CONDITIONS",
    "FLAG_CONDITIONS",
    "KEY_EXPRESSIONS",
    "MISSING_VALUE",
    "CallFilter",
    "FirstRecordColumn",
    "JoinedRecords",
    "call_direction_expression",
    "call_type_expression",
    "first_operator",
    "filter_from_query",
    "has_appeal",
    "has_form",
    "has_transfer",
    "hours_since_epoch",
    "key_expression",
    "dialled_number",
    "added_field_query",
    "added_field_key",
    "region_expression",
    "calls_per_number",
    "topic_expression",
    "sql_conditions",
]
