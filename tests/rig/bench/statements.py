"""Handwritten statements for the telephony report's tables, and those that all reports share."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.reports.counting import CallTally

IN_PERIOD = "c.arrived_at >= :begin AND c.arrived_at < :end"
INBOUND_IN_PERIOD = f"{IN_PERIOD} AND c.direction = 'inbound'"
INCOMING = (
    f"{INBOUND_IN_PERIOD} AND NOT c.synthetic AND (c.outcome IS NULL OR c.outcome <> 'rejected')"
)
WITH_TALK = "c.outcome IS NOT NULL AND c.talk_seconds > 0 AND c.direction <> 'internal'"
ANSWERED = "c.outcome = 'answered'"
_ANSWERED_AFTER_WAIT = f"{ANSWERED} AND c.wait_seconds IS NOT NULL"
_ABANDONED = "c.outcome = 'abandoned_queue'"
TALLY_SUMS = {  # field of a tally → its sum
    "incoming": "count(*)",
    "accepted": f"sum({ANSWERED})",
    "open": "sum(c.outcome IS NULL)",
    "joined": "sum(c.wait_seconds IS NOT NULL AND NOT c.short)",
    "abandoned": f"sum({_ABANDONED} AND NOT c.short)",
    "short": f"sum({_ABANDONED} AND c.short)",
    "answered_from_queue": f"sum({_ANSWERED_AFTER_WAIT})",
    "quick": f"sum({_ANSWERED_AFTER_WAIT} AND c.wait_seconds <= :level)",
    "wait_seconds": f"sum(c.wait_seconds) FILTER (WHERE {_ANSWERED_AFTER_WAIT})",
    "menu_seconds": f"sum(c.menu_seconds) FILTER (WHERE {_ANSWERED_AFTER_WAIT})",
    "talk_seconds": f"sum(c.talk_seconds) FILTER (WHERE {ANSWERED})",
    "hold_seconds": f"sum(c.hold_seconds) FILTER (WHERE {ANSWERED})",
    "eligible": f"sum({ANSWERED} AND c.ended_by = 'operator')",
    "responded": f"sum({ANSWERED} AND c.ended_by = 'operator' AND c.rating IS NOT NULL)",
    **{f"mark_{mark}": f"sum({ANSWERED} AND c.rating = {mark})" for mark in range(1, 6)},
}
_RESULT_SUMS = {
    "registered": "sum(EXISTS (SELECT 1 FROM appeal a WHERE a.call_id = c.id))",
    "transferred": "sum(EXISTS (SELECT 1 FROM transfer t WHERE t.call_id = c.id))",
}
HOUR = "(c.arrived_at + :offset) / 3600000000"
_WAIT_EDGES_SECONDS = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300)


@dataclass(frozen=True)
class Table:
    """One table of a report: a statement, and the report's figures that it must yield."""

    name: str
    sql: str
    # empty: another table has the figures
    figures: Callable[[Any], Iterable[tuple[Any, ...]]] | None


def hour_number(local_time: dt.datetime) -> int:
    """Whole hours since 1970 on the site's clock."""
    return (local_time - dt.datetime(1970, 1, 1)) // dt.timedelta(hours=1)  # noqa: DTZ001


def tally_statement(key: str, more_sums: Mapping[str, str] = _RESULT_SUMS) -> str:
    """A statement that sums incoming calls by `key`."""
    sums = ", ".join([*TALLY_SUMS.values(), *more_sums.values()])
    return f"SELECT {key} AS k, {sums} FROM call c WHERE {INCOMING} GROUP BY k"  # noqa: S608


def _tally_row(key: Any, tally: CallTally) -> tuple[Any, ...]:
    return key, *(getattr(tally, name) for name in (*TALLY_SUMS, *_RESULT_SUMS))


def _first_value(table: str, column: str) -> str:
    query = f"SELECT f.{column} FROM {table} f WHERE f.call_id = c.id ORDER BY f.number LIMIT 1"  # noqa: S608
    return f"nullif(({query}), '')"


_EMPLOYEE = "EXISTS (SELECT 1 FROM talk t WHERE t.call_id = c.id AND t.party = 'employee')"
_LINE_KEYS = {  # of the lines of the telephony report
    "topic": (
        f"coalesce({_first_value('call_form', 'direction')}, "
        f"{_first_value('appeal', 'direction')}, c.topic)"
    ),
    "call_type": (
        f"coalesce({_first_value('call_form', 'call_type')}, {_first_value('appeal', 'call_type')})"
    ),
    "request_kind": (
        f"CASE WHEN {_first_value('appeal', 'appeal_type')} "
        "IN ('application', 'complaint', 'proposal') "
        f"THEN {_first_value('appeal', 'appeal_type')} "
        f"ELSE CASE coalesce({_first_value('call_form', 'call_type')}, "
        f"{_first_value('appeal', 'call_type')}, '') "
        "WHEN '' THEN NULL WHEN 'appeal' THEN NULL WHEN 'complaint' THEN 'complaint' "
        "WHEN 'proposal' THEN 'proposal' WHEN 'question' THEN 'question' "
        "WHEN 'consultation' THEN 'question' WHEN 'status' THEN 'question' ELSE 'other' END END"
    ),
    "call_direction": f"coalesce({_first_value('call_form', 'call_direction')}, "
    f"iif({_EMPLOYEE}, 'transferred', 'incoming'))",
    "region": (
        f"coalesce({_first_value('call_form', 'region_id')}, {_first_value('appeal', 'region_id')})"
    ),
    "operator": "(SELECT t.who FROM talk t WHERE t.call_id = c.id AND t.party = 'operator' "
    "ORDER BY t.position LIMIT 1)",
    "trunk": "c.trunk",
    "number": "coalesce(c.diverted_from, c.hotline_number)",
    "language": "c.language",
}


def _lines_table(name: str) -> Table:
    return Table(
        name,
        tally_statement(_LINE_KEYS[name]),
        lambda report: (
            _tally_row(None if line.key == "-" else line.key, line.tally)
            for line in report.lines[name]
        ),
    )


BALANCE_TABLES = (
    Table(
        "arrivals",
        "SELECT (SELECT count(*) FROM event_row WHERE begins = 'from-trunk' AND at >= :begin "
        "AND at < :end) + (SELECT count(*) FROM seen_call WHERE begins = 'from-trunk' "
        "AND at >= :begin AND at < :end)",
        lambda report: [(report.balance.arrivals,)],
    ),
    Table(
        "outcomes",
        f"SELECT c.outcome, count(*) FROM call c WHERE {INBOUND_IN_PERIOD} GROUP BY 1",  # noqa: S608
        lambda report: report.balance.outcomes.items(),
    ),
    Table(
        "recordings",
        "SELECT count(*), sum(coalesce((SELECT sum(r.seconds) FROM recording r "  # noqa: S608
        "WHERE r.call_id = c.id AND NOT r.aside), 0.0) >= max(c.talk_seconds - 1.0, 1e-9)) "
        f"FROM call c WHERE {IN_PERIOD} AND {WITH_TALK}",
        lambda report: [
            (
                report.balance.recordings_expected,
                report.balance.recordings_expected - len(report.balance.lacking),
            )
        ],
    ),
)
OTHERS_TABLE = Table(
    "what the balance names apart",
    f"SELECT sum(c.short), sum(c.synthetic), sum(c.synthetic AND {ANSWERED}), "  # noqa: S608
    f"sum(c.outcome IS 'rejected' AND NOT c.synthetic) FROM call c WHERE {INBOUND_IN_PERIOD}",
    lambda report: [
        (
            report.excluded_calls.short,
            report.excluded_calls.synthetic,
            report.excluded_calls.synthetic_answered,
            report.excluded_calls.rejected,
        )
    ],
)


def _wait_figures(report: Any) -> Iterator[tuple[Any, ...]]:
    for number, bucket in enumerate(report.waits.buckets):
        if bucket.answered or bucket.abandoned or bucket.left_otherwise:
            yield number, bucket.answered, bucket.abandoned, bucket.left_otherwise


def wait_band(column: str) -> str:
    """The SQL expression of the number of the band that a wait belongs to."""
    whens = " ".join(
        f"WHEN {column} <= {edge} THEN {n}" for n, edge in enumerate(_WAIT_EDGES_SECONDS)
    )
    return f"CASE {whens} ELSE {len(_WAIT_EDGES_SECONDS)} END"


_CALLERS = (
    f"SELECT c.caller, count(*) AS n, sum({ANSWERED}) AS accepted FROM call c "  # noqa: S608
    f"WHERE {INCOMING} AND c.caller IS NOT NULL GROUP BY 1"
)


def _workload_figures(report: Any) -> Iterator[tuple[Any, ...]]:
    return ((row.operator, row.calls, row.talk_seconds) for row in report.workload if row.calls)


def _state_figures(report: Any) -> Iterator[tuple[Any, ...]]:
    for row in report.workload:
        seconds_by_state = {"ready": row.ready_seconds, "pause": row.pause_seconds}
        seconds_by_state["back_office"] = row.back_office_seconds
        yield from (
            (row.operator, state, length) for state, length in seconds_by_state.items() if length
        )


STATES_SQL = """
SELECT u.login, s.state, sum(min(s.till, :end) - max(s.since, :begin)) / 1e6 FROM (
    SELECT user_id, state, since, lead(since, 1, :end)
    OVER (PARTITION BY user_id ORDER BY since, id) AS till FROM presence WHERE since < :end
) s JOIN user u ON u.id = s.user_id
WHERE s.till > :begin AND s.state IN ('ready', 'pause', 'back_office') GROUP BY 1, 2
"""
TELEPHONY_TABLES = (
    Table(
        "hours",
        tally_statement(HOUR),
        lambda report: (
            _tally_row(hour_number(hour), tally) for hour, tally in report.hours.tallies.items()
        ),
    ),
    *(_lines_table(name) for name in _LINE_KEYS),
    Table(
        "waits",
        f"SELECT {wait_band('c.wait_seconds')}, sum({ANSWERED}), sum({_ABANDONED}), "  # noqa: S608
        "sum(coalesce(c.outcome NOT IN ('answered', 'abandoned_queue'), 1)) "
        f"FROM call c WHERE {INCOMING} AND c.wait_seconds IS NOT NULL GROUP BY 1",
        _wait_figures,
    ),
    Table(
        "how often they called",
        f"SELECT sum(n), sum(n > 1) FROM ({_CALLERS})",  # noqa: S608
        lambda report: [
            (
                sum(row.calls for row in report.callers.frequencies),
                sum(row.callers for row in report.callers.frequencies if row.low > 1),
            )
        ],
    ),
    Table(
        "who called most often",
        f"{_CALLERS} HAVING n > 1 ORDER BY n DESC, 1 LIMIT 20",
        lambda report: ((row.number, row.calls, row.accepted) for row in report.callers.top),
    ),
    Table(
        "queues",
        "SELECT v.queue, count(*), sum(v.result = 'answered') FROM call c "  # noqa: S608
        f"JOIN queue_visit v ON v.call_id = c.id WHERE {INCOMING} GROUP BY 1",
        lambda report: ((row.name, row.visits, row.results["answered"]) for row in report.queues),
    ),
    Table(
        "handed on",
        "SELECT t.kind, count(*), sum(t.returned) FROM call c "  # noqa: S608
        f"JOIN transfer t ON t.call_id = c.id WHERE {INCOMING} GROUP BY 1",
        lambda report: (
            (row.kind, row.transfers, row.returned) for row in report.transfers if row.transfers
        ),
    ),
    Table(
        "talks of operators",
        "SELECT t.who, count(DISTINCT c.id), sum(t.ended_at - t.started_at) / 1e6 FROM call c "  # noqa: S608
        f"JOIN talk t ON t.call_id = c.id WHERE {INCOMING} AND t.party = 'operator' "
        "AND t.ended_at IS NOT NULL GROUP BY 1",
        _workload_figures,
    ),
    Table("states of operators", STATES_SQL, _state_figures),
    Table(
        "rings in vain",
        "SELECT r.operator, count(*) FROM call c JOIN queue_visit v ON v.call_id = c.id "  # noqa: S608
        f"JOIN ring r ON r.visit_id = v.id WHERE {INCOMING} AND r.result = 'no_answer' GROUP BY 1",
        lambda report: ((w.operator, w.missed_rings) for w in report.workload if w.missed_rings),
    ),
    *BALANCE_TABLES,
    OTHERS_TABLE,
)
