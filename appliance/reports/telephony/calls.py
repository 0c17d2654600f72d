"""The calls behind a figure: page by page, and all of them as CSV without holding them."""

import csv
import datetime as dt
import io
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from appliance.models import Call
from appliance.reports import cuts, figures
from appliance.reports.cuts import Cut

CHUNK = 500


@dataclass(frozen=True)
class Row:
    """One call of a list."""

    call: Call
    operator: str | None  # login of the first who spoke, or of who placed it
    topic: str | None
    region: str | None
    number: str | None  # that the citizen dialled


def count(cut: Cut) -> int:
    """How many calls a cut has."""
    return Call.select().where(*cut.where).count()


def page(cut: Cut, limit: int, offset: int = 0) -> list[Row]:
    """The calls of a cut, newest first."""
    query = _select(cut).order_by(Call.arrived_at.desc(), Call.id).limit(limit).offset(offset)
    return [_row(call) for call in query]


def every(cut: Cut) -> Iterator[Row]:
    """All calls of a cut, oldest first; a chunk at a time is held, and no long read."""
    after: tuple[Any, ...] = ()
    while chunk := list(_select(cut).where(*after).order_by(Call.arrived_at, Call.id).limit(CHUNK)):
        yield from (_row(call) for call in chunk)
        last = chunk[-1]
        after = (
            Call.arrived_at >= last.arrived_at,
            (Call.arrived_at > last.arrived_at) | (Call.id > last.id),
        )


def _select(cut: Cut) -> Any:
    return Call.select(
        Call,
        cuts.first_operator(cut).alias("operator"),
        cuts.topic(cut).alias("of_topic"),
        cuts.region(cut).alias("of_region"),
    ).where(*cut.where)


def _row(call: Any) -> Row:
    dialled = call.diverted_from or call.hotline_number
    return Row(call, call.operator or call.by, call.of_topic, call.of_region, dialled)


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


def as_csv(cut: Cut, columns: Sequence[str]) -> Iterator[str]:
    """All calls of a cut as CSV, in pieces of some hundred rows; moments in the site's time."""
    tz = cut.period.tz
    piece = io.StringIO()
    writer = csv.writer(piece, lineterminator="\r\n")
    writer.writerow(columns)
    for number, row in enumerate(every(cut), 1):
        writer.writerow([_harmless(COLUMNS[column](row, tz)) for column in columns])
        if number % CHUNK == 0:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def _harmless(value: Any) -> Any:
    return figures.harmless(value) if isinstance(value, str) else value


def _moment(moment: dt.datetime | None, tz: dt.tzinfo) -> str | None:
    return moment.astimezone(tz).isoformat(timespec="milliseconds") if moment else None


def _seconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
