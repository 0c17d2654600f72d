"""Call filters: the calls of a period that meet conditions, by default the incoming ones.

A filter can be written as readable query parameters of a URL, so that a view can be shared. Every
count of a report is the number of calls that pass some filter.
"""

from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.definition import MISSING_VALUE, FilterDefinition, Reader
from appliance.reports.call_filters.dimensions import added_filters
from appliance.reports.call_filters.expressions import (
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
    region_expression,
    request_kind_expression,
    topic_expression,
)
from appliance.reports.call_filters.filters import (
    DIMENSION_NAMES,
    FILTERS,
    calls_per_number,
    describe_conditions,
    dimension_names,
    filter_from_query,
    find_dimension,
    key_expression,
    offered_filters,
    sql_conditions,
)
from appliance.reports.call_filters.labels import KINDS, RESULTS

__all__ = [
    "DIMENSION_NAMES",
    "FILTERS",
    "MISSING_VALUE",
    "CallFilter",
    "FilterDefinition",
    "FirstRecordColumn",
    "JoinedRecords",
    "Reader",
    "added_field_key",
    "added_field_query",
    "added_filters",
    "call_direction_expression",
    "call_type_expression",
    "calls_per_number",
    "describe_conditions",
    "dialled_number",
    "dimension_names",
    "filter_from_query",
    "find_dimension",
    "first_operator",
    "has_appeal",
    "has_form",
    "has_transfer",
    "hours_since_epoch",
    "key_expression",
    "offered_filters",
    "region_expression",
    "request_kind_expression",
    "sql_conditions",
    "topic_expression",
    "KINDS",
    "RESULTS",
]
