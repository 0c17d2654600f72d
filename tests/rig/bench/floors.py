"""The floor of each report: one handwritten statement per table that yields the same figures.

A floor is the cost of a program that only queries the database for the tables and prints nothing.
Each statement's result is compared with the report's own figures before it is timed.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from appliance.core import sqlite
from appliance.core.clock import microseconds_since_epoch
from appliance.reports.periods import Period
from appliance.reports.quarterly.activity import RECORDINGS_RETENTION, ActivityFact
from tests.rig.bench.statements import (
    ANSWERED,
    BALANCE_TABLES,
    HOUR,
    IN_PERIOD,
    INCOMING,
    OTHERS_TABLE,
    STATES_SQL,
    TALLY_SUMS,
    TELEPHONY_TABLES,
    Table,
    hour_number,
    tally_statement,
    wait_band,
)

_MINUTES_TABLES = (
    Table(
        "lines",
        "SELECT c.direction, c.trunk, iif(c.direction = 'inbound', "  # noqa: S608
        "coalesce(c.diverted_from, c.hotline_number), ''), count(*), sum(c.talk_seconds), "
        "sum(ceil((c.talk_seconds * 1000 - 0.5) / iif(c.direction = 'inbound', 60000, 1000)) * "
        f"iif(c.direction = 'inbound', 60, 1)) FROM call c WHERE {IN_PERIOD} AND {ANSWERED} "
        "AND c.direction IN ('inbound', 'outbound') AND NOT c.synthetic GROUP BY 1, 2, 3",
        lambda report: (
            (
                *(line.direction, line.trunk, line.number, line.calls),
                *(line.talk_seconds, line.billed_seconds),
            )
            for line in report.lines
        ),
    ),
    *BALANCE_TABLES,
    OTHERS_TABLE,
)


def _hourly_figures(report: Any) -> Iterator[tuple[Any, ...]]:
    for begin, slot in report.inbound.slots.items():
        yield hour_number(begin), slot.incoming, slot.accepted


_HOURLY_CALLS = Table(
    "calls by the clock",
    f"SELECT {HOUR}, count(*), sum({ANSWERED}) FROM call c "  # noqa: S608
    f"WHERE {INCOMING} GROUP BY 1",
    _hourly_figures,
)
_SUMS = Table(
    "sums",
    tally_statement("0", {}),
    lambda report: [(0, *(getattr(report.inbound.tally, name) for name in TALLY_SUMS))],
)


# An appeal counts, and so does a call form of a call without an appeal that has contents.
_REQUESTS = """(SELECT received_at, region_id, direction FROM appeal UNION ALL
SELECT received_at, region_id, direction FROM call_form f WHERE call_type NOT IN
('silent', 'wrong_number', 'prank')
AND NOT EXISTS (SELECT 1 FROM appeal a WHERE a.call_id = f.call_id))"""


def _requests_table(name: str, column: str, table: str) -> Table:
    return Table(
        name,
        f"SELECT nullif({column}, ''), count(*) FROM {_REQUESTS} "  # noqa: S608
        "WHERE received_at >= :begin AND received_at < :end GROUP BY 1",
        lambda report: (
            (row.code, row.count) for row in getattr(report.requests, table).rows if row.count
        ),
    )


_MONTHLY_TABLES = (
    Table(
        "requests by the clock",
        "SELECT sum(n) FROM (SELECT (received_at + :offset) / 3600000000, count(*) AS n "  # noqa: S608
        f"FROM {_REQUESTS} WHERE received_at >= :begin AND received_at < :end GROUP BY 1)",
        lambda report: [(report.requests.by_region.total,)],
    ),
    _HOURLY_CALLS,
    _requests_table("requests by region", "region_id", "by_region"),
    _requests_table("requests by direction", "direction", "by_direction"),
    Table(
        "consultations",
        "SELECT number FROM (SELECT received_at, openness, consultation_issue, gist, "
        "consultation_contact, number FROM appeal WHERE received_at >= :begin "
        "AND received_at < :end AND consultation)",
        lambda report: ((appeal.number,) for appeal in report.consultations),
    ),
    _SUMS,
    Table(
        "waits of accepted calls",
        f"SELECT count(*) FROM (SELECT {wait_band('c.wait_seconds')}, count(*) FROM call c "  # noqa: S608
        f"WHERE {INCOMING} AND {ANSWERED} AND c.wait_seconds IS NOT NULL GROUP BY 1)",
        None,
    ),
    Table(
        "form №2",
        "SELECT count(*), sum(EXISTS (SELECT 1 FROM call_form f WHERE f.call_id = c.id)) "  # noqa: S608
        f"FROM call c WHERE {INCOMING} AND {ANSWERED}",
        lambda report: [(report.call_forms.accepted, report.call_forms.with_call_form)],
    ),
    *BALANCE_TABLES,
)
_NEXT_CALL_SQL = (
    "(SELECT min(n.arrived_at) FROM call n WHERE n.{number} = c.caller AND n.outcome = 'answered' "
    "AND n.direction = '{direction}' AND NOT n.synthetic AND n.arrived_at > c.arrived_at)"
)
_NEXT_CALLS_SQL = [
    _NEXT_CALL_SQL.format(number=number, direction=direction)
    for number, direction in (("caller", "inbound"), ("callee", "outbound"))
]


_RECENT_CALLS_SQL = (
    "c.arrived_at >= :two_months AND c.arrived_at < :end AND c.direction = 'inbound' "
    "AND c.outcome = 'answered'"
)


def _recordings_fact(report: Any) -> ActivityFact:
    fact: ActivityFact = report.activity.recordings_kept
    return fact


_QUARTERLY_TABLES = (
    _HOURLY_CALLS,
    _SUMS,
    Table(
        "outgoing",
        f"SELECT count(*), sum({ANSWERED}) FROM call c WHERE {IN_PERIOD} "  # noqa: S608
        "AND c.direction = 'outbound' AND NOT c.synthetic",
        lambda report: [(report.calls.outgoing, report.calls.outgoing_answered)],
    ),
    Table(
        "missed callers",
        "SELECT count(*), sum(min(coalesce(a, b), coalesce(b, a)) - at <= 604800000000) FROM ("  # noqa: S608
        f"SELECT c.arrived_at AS at, {_NEXT_CALLS_SQL[0]} AS a, {_NEXT_CALLS_SQL[1]} AS b "
        "FROM call c "
        f"WHERE {INCOMING} AND c.outcome <> 'answered')",
        lambda report: [(report.recovery.missed, report.recovery.recovered)],
    ),
    Table(
        "recordings kept",
        "SELECT count(*), sum(EXISTS (SELECT 1 FROM recording r WHERE r.call_id = c.id "  # noqa: S608
        "AND (r.kept IS NULL OR r.kept <> ''))) "
        f"FROM call c WHERE {_RECENT_CALLS_SQL}",
        lambda report: [(_recordings_fact(report).of, _recordings_fact(report).count)],
    ),
    *BALANCE_TABLES,
)


def _half_hour_figures(report: Any) -> Iterator[tuple[Any, ...]]:
    yield (
        report.busiest_half_hour_calls,
        round(report.mean_channel_seconds, 6),
        round(report.patience, 6),
    )


_CAPACITY_TABLES = (
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
        _half_hour_figures,
    ),
    Table(
        "calls at once",
        "SELECT max(n) FROM (SELECT sum(d) OVER (ORDER BY at, d) AS n FROM ("  # noqa: S608
        f"SELECT c.arrived_at AS at, 1 AS d FROM call c WHERE {IN_PERIOD} "
        "AND c.direction <> 'internal' AND NOT c.synthetic UNION ALL "
        f"SELECT c.ended_at, -1 FROM call c WHERE {IN_PERIOD} "
        "AND c.direction <> 'internal' AND NOT c.synthetic))",
        lambda report: [(report.peak_calls,)],
    ),
    Table("states of operators", STATES_SQL, None),
)
FLOOR_TABLES = {
    "monthly": _MONTHLY_TABLES,
    "quarterly": _QUARTERLY_TABLES,
    "minutes": _MINUTES_TABLES,
    "telephony": TELEPHONY_TABLES,
    "capacity": _CAPACITY_TABLES,
}


def check_figures(
    name: str, report: Any, connection: sqlite.Connection, parameters: Mapping[str, Any]
) -> None:
    """Raise AssertionError where a statement gives other figures than the report of this name."""
    for table in FLOOR_TABLES[name]:
        if table.figures is None:
            continue
        report_rows = _comparable_rows(table.figures(report))
        floor_rows = _comparable_rows(connection.execute(table.sql, parameters).fetchall())
        if report_rows != floor_rows:
            differences = [
                pair for pair in zip(report_rows, floor_rows, strict=False) if pair[0] != pair[1]
            ]
            raise AssertionError(
                f"{name}, {table.name}: {differences[:2] or (report_rows[:2], floor_rows[:2])}"
            )


def run_statements(name: str, connection: sqlite.Connection, parameters: Mapping[str, Any]) -> None:
    """Run every statement of a report."""
    for table in FLOOR_TABLES[name]:
        connection.execute(table.sql, parameters).fetchall()


def statement_parameters(period: Period, service_level: float) -> dict[str, Any]:
    """The parameters of the statements."""
    offset = period.begin.astimezone(period.tz).utcoffset() or dt.timedelta()
    return {
        "begin": microseconds_since_epoch(period.begin),
        "end": microseconds_since_epoch(period.end),
        "two_months": microseconds_since_epoch(period.end - RECORDINGS_RETENTION),
        "offset": offset // dt.timedelta(microseconds=1),
        "level": service_level,
    }


def _comparable_rows(rows: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Rows in a fixed order; an empty value becomes 0, and sums are rounded to three decimals."""
    normal_rows = (tuple(_normal_value(value) for value in row) for row in rows)
    return sorted(normal_rows, key=str)


def _normal_value(value: Any) -> Any:
    return round(value, 3) if isinstance(value, float) else value or 0
