"""The operators and channels that the calls need (T2, T10), by Erlang's formulas.

The formulas are applied to the site's own calls.
"""

from appliance.reports.capacity import forecast
from appliance.reports.capacity.forecast import Capacity, HalfHour, OperatorNeed, forecast_capacity
from appliance.reports.capacity.printing import capacity_tables, operators_chart

__all__ = [
    "Capacity",
    "HalfHour",
    "OperatorNeed",
    "operators_chart",
    "forecast_capacity",
    "capacity_tables",
    "forecast",
]
