"""The inbound calls of a period, as figures need them."""

from appliance.models import Call
from appliance.reports.kpi import Inbound
from appliance.reports.periods import Period


def of(period: Period) -> tuple[Inbound, ...]:
    """Oldest first; read in one go."""
    fields = [getattr(Call, name) for name in Inbound.__slots__]
    rows = (
        Call.select(*fields)
        .where(
            Call.direction == "inbound",
            Call.arrived_at >= period.begin,
            Call.arrived_at < period.end,
        )
        .order_by(Call.arrived_at, Call.id)
        .tuples()
    )
    return tuple(Inbound(*row) for row in rows)
