"""Values of reports as plain values for JSON and CSV files."""

from decimal import Decimal
from typing import Any

from appliance.reports.kpi import Rate
from appliance.reports.periods import Period


def period_as_json(period: Period) -> dict[str, str]:
    """Return the first and the last day of a period in ISO format."""
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def share_as_json(share: Decimal | None) -> float | None:
    """Return a share in per cent as a float, because JSON has no decimals; None remains None."""
    return None if share is None else float(share)


def rate_as_json(rate: Rate) -> dict[str, Any]:
    """Return a rate's value, in its own unit, and the number of cases that it is based on."""
    return {"value": rate.value, "cases": rate.cases}


def round_to_thousandths(value: float | None) -> float | None:
    """Round to thousandths, because sums of floats have meaningless digits; None remains None."""
    return None if value is None else round(value, 3)
