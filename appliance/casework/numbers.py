"""Numbers of what is registered, without gaps within a year: 2026-000001."""

from appliance.models import CallNumberSeries, NumberSeries


def next_number(series: type[NumberSeries | CallNumberSeries], year: int) -> str:
    """The year's next number; call it inside the transaction that uses it up."""
    series.insert(year=year, last=1).on_conflict(
        conflict_target=[series.year], update={series.last: series.last + 1}
    ).execute()
    return f"{year}-{series.get_by_id(year).last:06d}"
