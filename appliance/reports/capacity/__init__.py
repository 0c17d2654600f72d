"""How many operators and channels the calls need (T2, T10): Erlang's formulas over own data."""

from appliance.reports.capacity.forecast import Capacity, HalfHour, Need, count
from appliance.reports.capacity.printing import chart, tables

__all__ = ["Capacity", "HalfHour", "Need", "chart", "count", "tables"]
