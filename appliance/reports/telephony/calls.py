"""The calls behind a figure: page by page, and all of them as CSV without holding them."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from appliance.core import spreadsheets
from appliance.models import Call
from appliance.reports import call_filters
from appliance.reports.call_filters import CallFilter, conditions_of

CHUNK = 500


@dataclass(frozen=True)
class Row:
    """One call of a list."""

    call: Call
    operator: str | None  # login of the first who spoke, or of who placed it
    topic: str | None
    call_type: str | None
    call_direction: str
    region: str | None
    number: str | None  # that the citizen dialled


def count(call_filter: CallFilter) -> int:
    """How many calls a filter has."""
    return Call.select().where(*conditions_of(call_filter)).count()


def page(call_filter: CallFilter, limit: int, offset: int = 0) -> list[Row]:
    """The calls of a filter, newest first."""
    order = Call.arrived_at.desc(), Call.id
    found = Call.select(Call.id).where(*conditions_of(call_filter)).order_by(*order)
    # what hangs on a call is looked up for those alone that are shown
    rows = _select().where(Call.id.in_(found.limit(limit).offset(offset))).order_by(*order)
    return [_row(call) for call in rows]


def every(call_filter: CallFilter) -> Iterator[Row]:
    """All calls of a filter, oldest first; a chunk at a time is held, and no long read."""
    after: tuple[Any, ...] = ()
    while chunk := list(
        _select()
        .where(*conditions_of(call_filter), *after)
        .order_by(Call.arrived_at, Call.id)
        .limit(CHUNK)
    ):
        yield from (_row(call) for call in chunk)
        last = chunk[-1]
        after = (
            Call.arrived_at >= last.arrived_at,
            (Call.arrived_at > last.arrived_at) | (Call.id > last.id),
        )


def dialled(call_filter: CallFilter) -> tuple[list[str], list[str]]:
    """The trunks by which the calls of a filter came, and the numbers that were dialled."""
    columns = Call.trunk, call_filters.number()
    rows = list(Call.select(*columns).where(*conditions_of(call_filter)).distinct().tuples())
    trunks, numbers = (sorted({row[n] for row in rows if row[n]}) for n in (0, 1))
    return trunks, numbers


def _select() -> Any:
    return Call.select(
        Call,
        call_filters.first_operator().alias("operator"),
        call_filters.topic().alias("of_topic"),
        call_filters.call_type().alias("of_type"),
        call_filters.call_direction().alias("of_direction"),
        call_filters.region().alias("of_region"),
    )


def _row(call: Any) -> Row:
    dialled = call.diverted_from or call.hotline_number
    return Row(
        call,
        call.operator or call.by,
        call.of_topic,
        call.of_type,
        call.of_direction,
        call.of_region,
        dialled,
    )


# ── as CSV ──────────────────────────────────────────────────────────────────────

# columns that only who leads the operators may see
PERSONAL = ("caller", "callee", "operator", "ended_by")
COLUMNS: dict[str, Callable[[Row, dt.tzinfo], Any]] = {
    "id": lambda row, tz: row.call.id,
    "arrived_at": lambda row, tz: _moment(row.call.arrived_at, tz),
    "ended_at": lambda row, tz: _moment(row.call.ended_at, tz),
    "caller": lambda row, tz: row.call.caller,
    "number": lambda row, tz: row.number,
    "callee": lambda row, tz: row.call.callee if row.call.direction == "outbound" else None,
    "trunk": lambda row, tz: row.call.trunk,
    "language": lambda row, tz: row.call.language,
    "topic": lambda row, tz: row.topic,
    "call_type": lambda row, tz: row.call_type,
    "call_direction": lambda row, tz: row.call_direction,
    "region": lambda row, tz: row.region,
    "outcome": lambda row, tz: row.call.outcome,
    "short": lambda row, tz: int(row.call.short),
    "menu_seconds": lambda row, tz: _seconds(row.call.menu_seconds),
    "wait_seconds": lambda row, tz: _seconds(row.call.wait_seconds),
    "talk_seconds": lambda row, tz: _seconds(row.call.talk_seconds),
    "hold_seconds": lambda row, tz: _seconds(row.call.hold_seconds),
    "operator": lambda row, tz: row.operator,
    "ended_by": lambda row, tz: row.call.ended_by,
    "rating": lambda row, tz: row.call.rating,
}


def as_csv(call_filter: CallFilter, columns: Sequence[str]) -> Iterator[str]:
    """All calls of a filter as CSV, in pieces of some hundred rows; moments in the site's time."""
    cells = (
        [COLUMNS[column](row, call_filter.period.tz) for column in columns]
        for row in every(call_filter)
    )
    return spreadsheets.pieces(chain([columns], cells))


def _moment(moment: dt.datetime | None, tz: dt.tzinfo) -> str | None:
    return moment.astimezone(tz).isoformat(timespec="milliseconds") if moment else None


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
