"""The floor of each report: one statement per table, written by hand, that gives the same figures.

A floor is what a program would cost that only asked the database for the tables and held its
tongue. Each statement's answer is compared with the report's own figures before it is timed.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from appliance.core import sqlite
from appliance.core.clock import microseconds
from appliance.reports.periods import Period
from appliance.reports.quarterly.activity import RECORDINGS, Fact
from tests.rig.bench.statements import (
    ANSWERED,
    BALANCE,
    HOUR,
    INCOMING,
    OTHERS,
    STATES,
    TALLY,
    TELEPHONY,
    WITHIN,
    Table,
    bands,
    hour_number,
    tallied,
)

_MINUTES = (
    Table(
        "lines",
        "SELECT c.direction, c.trunk, iif(c.direction = 'inbound', "  # noqa: S608
        "coalesce(c.diverted_from, c.hotline_number), ''), count(*), sum(c.talk_seconds), "
        "sum(ceil((c.talk_seconds * 1000 - 0.5) / iif(c.direction = 'inbound', 60000, 1000)) * "
        f"iif(c.direction = 'inbound', 60, 1)) FROM call c WHERE {WITHIN} AND {ANSWERED} "
        "AND c.direction IN ('inbound', 'outbound') AND NOT c.synthetic GROUP BY 1, 2, 3",
        lambda report: (
            (
                *(line.direction, line.trunk, line.number, line.calls),
                *(line.talk_seconds, line.billed_seconds),
            )
            for line in report.lines
        ),
    ),
    *BALANCE,
    OTHERS,
)


def _clock(report: Any) -> Iterator[tuple[Any, ...]]:
    for begin, slot in report.inbound.slots.items():
        yield hour_number(begin), slot.incoming, slot.accepted


_BY_CLOCK = Table(
    "calls by the clock",
    f"SELECT {HOUR}, count(*), sum({ANSWERED}) FROM call c "  # noqa: S608
    f"WHERE {INCOMING} GROUP BY 1",
    _clock,
)
_SUMS = Table(
    "sums",
    tallied("0", {}),
    lambda report: [(0, *(getattr(report.inbound.tally, name) for name in TALLY))],
)


def _appeals(name: str, column: str, table: str) -> Table:
    return Table(
        name,
        f"SELECT nullif({column}, ''), count(*) FROM appeal "  # noqa: S608
        "WHERE received_at >= :begin AND received_at < :end GROUP BY 1",
        lambda report: ((row.code, row.count) for row in getattr(report, table).rows if row.count),
    )


_MONTHLY = (
    Table(
        "appeals by the clock",
        "SELECT sum(n) FROM (SELECT (received_at + :offset) / 3600000000, count(*) AS n "
        "FROM appeal WHERE received_at >= :begin AND received_at < :end GROUP BY 1)",
        lambda report: [(report.appeals_by_region.total,)],
    ),
    _BY_CLOCK,
    _appeals("appeals by region", "region_id", "appeals_by_region"),
    _appeals("appeals by direction", "direction", "appeals_by_direction"),
    Table(
        "consultations",
        "SELECT number FROM (SELECT received_at, openness, consultation_issue, gist, "
        "consultation_contact, number FROM appeal WHERE received_at >= :begin "
        "AND received_at < :end AND consultation)",
        lambda report: ((one.number,) for one in report.consultations),
    ),
    _SUMS,
    Table(
        "waits of accepted calls",
        f"SELECT count(*) FROM (SELECT {bands('c.wait_seconds')}, count(*) FROM call c "  # noqa: S608
        f"WHERE {INCOMING} AND {ANSWERED} AND c.wait_seconds IS NOT NULL GROUP BY 1)",
        None,
    ),
    Table(
        "form №2",
        "SELECT count(*), sum(EXISTS (SELECT 1 FROM call_form f WHERE f.call_id = c.id)) "  # noqa: S608
        f"FROM call c WHERE {INCOMING} AND {ANSWERED}",
        lambda report: [(report.call_forms.accepted, report.call_forms.registered)],
    ),
    *BALANCE,
)
_AFTER = (
    "(SELECT min(n.arrived_at) FROM call n WHERE n.{number} = c.caller AND n.outcome = 'answered' "
    "AND n.direction = '{direction}' AND NOT n.synthetic AND n.arrived_at > c.arrived_at)"
)
_NEXT = [
    _AFTER.format(number=number, direction=direction)
    for number, direction in (("caller", "inbound"), ("callee", "outbound"))
]


_LATELY = (
    "c.arrived_at >= :two_months AND c.arrived_at < :end AND c.direction = 'inbound' "
    "AND c.outcome = 'answered'"
)


def _kept(report: Any) -> Fact:
    found: Fact = report.activity.recordings_kept
    return found


_QUARTERLY = (
    _BY_CLOCK,
    _SUMS,
    Table(
        "outgoing",
        f"SELECT count(*), sum({ANSWERED}) FROM call c WHERE {WITHIN} "  # noqa: S608
        "AND c.direction = 'outbound' AND NOT c.synthetic",
        lambda report: [(report.calls.outgoing, report.calls.outgoing_answered)],
    ),
    Table(
        "missed callers",
        "SELECT count(*), sum(min(coalesce(a, b), coalesce(b, a)) - at <= 604800000000) FROM ("  # noqa: S608
        f"SELECT c.arrived_at AS at, {_NEXT[0]} AS a, {_NEXT[1]} AS b FROM call c "
        f"WHERE {INCOMING} AND c.outcome <> 'answered')",
        lambda report: [(report.recovery.missed, report.recovery.recovered)],
    ),
    Table(
        "recordings kept",
        "SELECT count(*), sum(EXISTS (SELECT 1 FROM recording r WHERE r.call_id = c.id "  # noqa: S608
        "AND (r.kept IS NULL OR r.kept <> ''))) "
        f"FROM call c WHERE {_LATELY}",
        lambda report: [(_kept(report).of, _kept(report).count)],
    ),
    *BALANCE,
)


def _half_hours(report: Any) -> Iterator[tuple[Any, ...]]:
    yield report.busiest, round(report.holding, 6), round(report.patience, 6)


_CAPACITY = (
    Table(
        "half-hours",
        "SELECT max(n), round(sum(lasted) / 1e6 / sum(over), 6), round(sum(stood) / sum(gone), 6) "  # noqa: S608
        "FROM (SELECT (c.arrived_at + :offset) / 1800000000, count(*) AS n, "
        "sum(c.ended_at - c.arrived_at) AS lasted, count(c.ended_at) AS over, "
        f"sum({ANSWERED}), sum(c.wait_seconds IS NOT NULL), sum(c.wait_seconds) AS stood, "
        "sum(c.outcome = 'abandoned_queue') AS gone, "
        f"sum(c.talk_seconds) FILTER (WHERE {ANSWERED}), "
        f"sum(c.hold_seconds) FILTER (WHERE {ANSWERED}) "
        f"FROM call c WHERE {INCOMING} GROUP BY 1)",
        _half_hours,
    ),
    Table(
        "calls at once",
        "SELECT max(n) FROM (SELECT sum(d) OVER (ORDER BY at, d) AS n FROM ("  # noqa: S608
        f"SELECT c.arrived_at AS at, 1 AS d FROM call c WHERE {WITHIN} "
        "AND c.direction <> 'internal' AND NOT c.synthetic UNION ALL "
        f"SELECT c.ended_at, -1 FROM call c WHERE {WITHIN} "
        "AND c.direction <> 'internal' AND NOT c.synthetic))",
        lambda report: [(report.peak,)],
    ),
    Table("states of operators", STATES, None),
)
FLOORS = {
    "monthly": _MONTHLY,
    "quarterly": _QUARTERLY,
    "minutes": _MINUTES,
    "telephony": TELEPHONY,
    "capacity": _CAPACITY,
}


def check(name: str, report: Any, connection: sqlite.Connection, given: Mapping[str, Any]) -> None:
    """Raise AssertionError where a statement gives other figures than the report of this name."""
    for table in FLOORS[name]:
        if table.figures is None:
            continue
        ours = _comparable(table.figures(report))
        theirs = _comparable(connection.execute(table.sql, given).fetchall())
        if ours != theirs:
            parted = [pair for pair in zip(ours, theirs, strict=False) if pair[0] != pair[1]]
            raise AssertionError(f"{name}, {table.name}: {parted[:2] or (ours[:2], theirs[:2])}")


def ask(name: str, connection: sqlite.Connection, given: Mapping[str, Any]) -> None:
    """Every statement of a report."""
    for table in FLOORS[name]:
        connection.execute(table.sql, given).fetchall()


def given(period: Period, level: float) -> dict[str, Any]:
    """What the statements are asked for."""
    offset = period.begin.astimezone(period.tz).utcoffset() or dt.timedelta()
    return {
        "begin": microseconds(period.begin),
        "end": microseconds(period.end),
        "two_months": microseconds(period.end - RECORDINGS),
        "offset": offset // dt.timedelta(microseconds=1),
        "level": level,
    }


def _comparable(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """In an order of their own; nothing is zero, and sums are told to the millisecond."""
    plain = (tuple(_plain(value) for value in row) for row in rows)
    return sorted(plain, key=str)


def _plain(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value or 0
