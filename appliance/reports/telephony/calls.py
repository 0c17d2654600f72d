"""The list of the calls that a figure counts: page by page, or all of them as CSV."""

import datetime as dt
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Any

from appliance.core import spreadsheets
from appliance.models import Call
from appliance.reports import call_filters
from appliance.reports.call_filters import CallFilter, sql_conditions
from appliance.reports.json_values import round_to_thousandths

CHUNK_ROWS = 500  # calls that are read at once for a list of all calls


@dataclass(frozen=True)
class CallRow:
    """One call of the list, with details from its records; None if a detail is not recorded."""

    call: Call
    operator: str | None  # login of the first operator who talked, or who placed the call
    topic: str | None  # this and the next three are codes of lists
    call_type: str | None
    request_kind: str | None
    call_direction: str
    region: str | None  # SOATO code
    number: str | None  # the number that the citizen dialled


def count_calls(call_filter: CallFilter) -> int:
    """Return the number of calls that pass a filter."""
    return int(Call.select().where(*sql_conditions(call_filter)).count())


def calls_page(call_filter: CallFilter, limit: int, offset: int = 0) -> list[CallRow]:
    """Return at most `limit` calls that pass a filter, newest first, without the first `offset`."""
    order = Call.arrived_at.desc(), Call.id
    call_ids = Call.select(Call.id).where(*sql_conditions(call_filter)).order_by(*order)
    # the details of a call are looked up only for the calls of the page
    rows = (
        _select_with_details()
        .where(Call.id.in_(call_ids.limit(limit).offset(offset)))
        .order_by(*order)
    )
    return [_call_row(call) for call in rows]


def iterate_calls(call_filter: CallFilter) -> Iterator[CallRow]:
    """Yield all calls that pass a filter, oldest first.

    The calls are read in chunks, so that they need little memory and no long read transaction.
    """
    after: tuple[Any, ...] = ()
    while chunk := list(
        _select_with_details()
        .where(*sql_conditions(call_filter), *after)
        .order_by(Call.arrived_at, Call.id)
        .limit(CHUNK_ROWS)
    ):
        yield from (_call_row(call) for call in chunk)
        last = chunk[-1]
        after = (
            # follows from the next condition, but lets the database use an index
            Call.arrived_at >= last.arrived_at,
            (Call.arrived_at > last.arrived_at) | (Call.id > last.id),
        )


def _select_with_details() -> Any:
    """Return the query of all calls with the columns that _call_row() needs."""
    return Call.select(
        Call,
        call_filters.first_operator().alias("operator"),
        call_filters.topic_expression().alias("of_topic"),
        call_filters.call_type_expression().alias("of_type"),
        call_filters.request_kind_expression().alias("of_kind"),
        call_filters.call_direction_expression().alias("of_direction"),
        call_filters.region_expression().alias("of_region"),
    )


def _call_row(call: Any) -> CallRow:
    """Return the row of a call that was read by _select_with_details()."""
    dialled_number = call.diverted_from or call.hotline_number
    return CallRow(
        call,
        call.operator or call.by,
        call.of_topic,
        call.of_type,
        call.of_kind,
        call.of_direction,
        call.of_region,
        dialled_number,
    )


# ── as CSV ──────────────────────────────────────────────────────────────────────

# columns that only the leads of the operators may see
PERSONAL_COLUMNS = ("caller", "callee", "operator", "ended_by")
# the functions from a row and the site's time zone to a cell, by name of the column
COLUMNS: dict[str, Callable[[CallRow, dt.tzinfo], Any]] = {
    "id": lambda row, tz: row.call.id,
    "arrived_at": lambda row, tz: _iso_datetime(row.call.arrived_at, tz),
    "ended_at": lambda row, tz: _iso_datetime(row.call.ended_at, tz),
    "caller": lambda row, tz: row.call.caller,
    "number": lambda row, tz: row.number,
    "callee": lambda row, tz: row.call.callee if row.call.direction == "outbound" else None,
    "trunk": lambda row, tz: row.call.trunk,
    "language": lambda row, tz: row.call.language,
    "topic": lambda row, tz: row.topic,
    "call_type": lambda row, tz: row.call_type,
    "request_kind": lambda row, tz: row.request_kind,
    "call_direction": lambda row, tz: row.call_direction,
    "region": lambda row, tz: row.region,
    "outcome": lambda row, tz: row.call.outcome,
    "short": lambda row, tz: int(row.call.short),
    "menu_seconds": lambda row, tz: round_to_thousandths(row.call.menu_seconds),
    "wait_seconds": lambda row, tz: round_to_thousandths(row.call.wait_seconds),
    "talk_seconds": lambda row, tz: round_to_thousandths(row.call.talk_seconds),
    "hold_seconds": lambda row, tz: round_to_thousandths(row.call.hold_seconds),
    "operator": lambda row, tz: row.operator,
    "ended_by": lambda row, tz: row.call.ended_by,
    "rating": lambda row, tz: row.call.rating,
}


def as_csv(call_filter: CallFilter, columns: Sequence[str]) -> Iterator[str]:
    """Yield all calls that pass a filter, oldest first, as CSV in pieces of text.

    `columns` are keys of COLUMNS. Times are in the site's time zone.
    """
    cells = (
        [COLUMNS[column](row, call_filter.period.tz) for column in columns]
        for row in iterate_calls(call_filter)
    )
    return spreadsheets.csv_pieces(chain([columns], cells))


def _iso_datetime(moment: dt.datetime | None, tz: dt.tzinfo) -> str | None:
    return moment.astimezone(tz).isoformat(timespec="milliseconds") if moment else None
