"""The plain values of which the JSON and CSV files of all reports consist."""

from decimal import Decimal
from typing import Any

from appliance.reports.kpi import Rate
from appliance.reports.periods import Period


def period_as_json(period: Period) -> dict[str, str]:
    """Return the first and the last day of a period."""
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def share_as_json(share: Decimal | None) -> float | None:
    """Return a share in per cent."""
    return None if share is None else float(share)


def rate_as_json(rate: Rate) -> dict[str, Any]:
    """Return a rate, and the number of cases that it is based on."""
    return {"value": rate.value, "cases": rate.cases}


def round_to_thousandths(value: float | None) -> float | None:
    """Round to thousandths: sums of binary fractions would suggest more precision than exists."""
    return None if value is None else round(value, 3)
