"""The tables of the telephony report as statements written by hand, and what all reports share."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from appliance.reports.counting import Counted

WITHIN = "c.arrived_at >= :begin AND c.arrived_at < :end"
INBOUND = f"{WITHIN} AND c.direction = 'inbound'"
INCOMING = f"{INBOUND} AND NOT c.synthetic AND (c.outcome IS NULL OR c.outcome <> 'rejected')"
SPOKEN = "c.outcome IS NOT NULL AND c.talk_seconds > 0 AND c.direction <> 'internal'"
ANSWERED = "c.outcome = 'answered'"
_WAITED = f"{ANSWERED} AND c.wait_seconds IS NOT NULL"
_GAVE_UP = "c.outcome = 'abandoned_queue'"
TALLY = {  # field of a tally → its sum
    "incoming": "count(*)",
    "accepted": f"sum({ANSWERED})",
    "open": "sum(c.outcome IS NULL)",
    "joined": "sum(c.wait_seconds IS NOT NULL AND NOT c.short)",
    "abandoned": f"sum({_GAVE_UP} AND NOT c.short)",
    "short": f"sum({_GAVE_UP} AND c.short)",
    "waited": f"sum({_WAITED})",
    "quick": f"sum({_WAITED} AND c.wait_seconds <= :level)",
    "wait_seconds": f"sum(c.wait_seconds) FILTER (WHERE {_WAITED})",
    "menu_seconds": f"sum(c.menu_seconds) FILTER (WHERE {_WAITED})",
    "talk_seconds": f"sum(c.talk_seconds) FILTER (WHERE {ANSWERED})",
    "hold_seconds": f"sum(c.hold_seconds) FILTER (WHERE {ANSWERED})",
    "eligible": f"sum({ANSWERED} AND c.ended_by = 'operator')",
    "responded": f"sum({ANSWERED} AND c.ended_by = 'operator' AND c.rating IS NOT NULL)",
    **{f"mark_{mark}": f"sum({ANSWERED} AND c.rating = {mark})" for mark in range(1, 6)},
}
_LED_TO = {
    "registered": "sum(EXISTS (SELECT 1 FROM appeal a WHERE a.call_id = c.id))",
    "transferred": "sum(EXISTS (SELECT 1 FROM transfer t WHERE t.call_id = c.id))",
}
HOUR = "(c.arrived_at + :offset) / 3600000000"
_EDGES = (5, 10, 15, 20, 30, 45, 60, 90, 120, 180, 300)


@dataclass(frozen=True)
class Table:
    """One table of a report: a statement, and the figures of the report that it must give."""

    name: str
    sql: str
    figures: Callable[[Any], Iterable[tuple[Any, ...]]] | None  # None: they stand in another one's


def hour_number(shown: dt.datetime) -> int:
    """Whole hours since 1970 on the site's clock."""
    return (shown - dt.datetime(1970, 1, 1)) // dt.timedelta(hours=1)  # noqa: DTZ001


def tallied(key: str, also: Mapping[str, str] = _LED_TO) -> str:
    sums = ", ".join([*TALLY.values(), *also.values()])
    return f"SELECT {key} AS k, {sums} FROM call c WHERE {INCOMING} GROUP BY k"  # noqa: S608


def _row(key: Any, tally: Counted) -> tuple[Any, ...]:
    return key, *(getattr(tally, name) for name in (*TALLY, *_LED_TO))


def _first(table: str, column: str) -> str:
    found = f"SELECT f.{column} FROM {table} f WHERE f.call_id = c.id ORDER BY f.number LIMIT 1"  # noqa: S608
    return f"nullif(({found}), '')"


_EMPLOYEE = "EXISTS (SELECT 1 FROM talk t WHERE t.call_id = c.id AND t.party = 'employee')"
_KEYS = {  # of the lines of the telephony report
    "topic": f"coalesce({_first('call_form', 'direction')}, {_first('appeal', 'direction')}, "
    "c.topic)",
    "call_type": f"coalesce({_first('call_form', 'call_type')}, {_first('appeal', 'call_type')})",
    "call_direction": f"coalesce({_first('call_form', 'call_direction')}, "
    f"iif({_EMPLOYEE}, 'transferred', 'incoming'))",
    "region": f"coalesce({_first('call_form', 'region_id')}, {_first('appeal', 'region_id')})",
    "operator": "(SELECT t.who FROM talk t WHERE t.call_id = c.id AND t.party = 'operator' "
    "ORDER BY t.position LIMIT 1)",
    "trunk": "c.trunk",
    "number": "coalesce(c.diverted_from, c.hotline_number)",
    "language": "c.language",
}


def _lines(name: str) -> Table:
    return Table(
        name,
        tallied(_KEYS[name]),
        lambda report: (
            _row(None if line.key == "-" else line.key, line.tally) for line in report.lines[name]
        ),
    )


BALANCE = (
    Table(
        "arrivals",
        "SELECT (SELECT count(*) FROM event_row WHERE begins = 'from-trunk' AND at >= :begin "
        "AND at < :end) + (SELECT count(*) FROM seen_call WHERE begins = 'from-trunk' "
        "AND at >= :begin AND at < :end)",
        lambda report: [(report.balance.arrivals,)],
    ),
    Table(
        "outcomes",
        f"SELECT c.outcome, count(*) FROM call c WHERE {INBOUND} GROUP BY 1",  # noqa: S608
        lambda report: report.balance.outcomes.items(),
    ),
    Table(
        "recordings",
        "SELECT count(*), sum(coalesce((SELECT sum(r.seconds) FROM recording r "  # noqa: S608
        "WHERE r.call_id = c.id AND NOT r.aside), 0.0) >= max(c.talk_seconds - 1.0, 1e-9)) "
        f"FROM call c WHERE {WITHIN} AND {SPOKEN}",
        lambda report: [
            (
                report.balance.recordings_expected,
                report.balance.recordings_expected - len(report.balance.lacking),
            )
        ],
    ),
)
OTHERS = Table(
    "what the balance names apart",
    f"SELECT sum(c.short), sum(c.synthetic), sum(c.synthetic AND {ANSWERED}), "  # noqa: S608
    f"sum(c.outcome IS 'rejected' AND NOT c.synthetic) FROM call c WHERE {INBOUND}",
    lambda report: [
        (
            report.others.short,
            report.others.synthetic,
            report.others.synthetic_answered,
            report.others.rejected,
        )
    ],
)


def _waits(report: Any) -> Iterator[tuple[Any, ...]]:
    for number, one in enumerate(report.waits.buckets):
        if one.answered or one.abandoned or one.gone:
            yield number, one.answered, one.abandoned, one.gone


def bands(column: str) -> str:
    whens = " ".join(f"WHEN {column} <= {edge} THEN {n}" for n, edge in enumerate(_EDGES))
    return f"CASE {whens} ELSE {len(_EDGES)} END"


_CALLERS = (
    f"SELECT c.caller, count(*) AS n, sum({ANSWERED}) AS accepted FROM call c "  # noqa: S608
    f"WHERE {INCOMING} AND c.caller IS NOT NULL GROUP BY 1"
)


def _workload(report: Any) -> Iterator[tuple[Any, ...]]:
    return ((w.operator, w.calls, w.talk_seconds) for w in report.workload if w.calls)


def _states(report: Any) -> Iterator[tuple[Any, ...]]:
    for one in report.workload:
        known = {"ready": one.ready_seconds, "pause": one.pause_seconds}
        known["back_office"] = one.back_office_seconds
        yield from ((one.operator, state, length) for state, length in known.items() if length)


STATES = """
SELECT u.login, s.state, sum(min(s.till, :end) - max(s.since, :begin)) / 1e6 FROM (
    SELECT user_id, state, since, lead(since, 1, :end)
    OVER (PARTITION BY user_id ORDER BY since, id) AS till FROM presence WHERE since < :end
) s JOIN user u ON u.id = s.user_id
WHERE s.till > :begin AND s.state IN ('ready', 'pause', 'back_office') GROUP BY 1, 2
"""
TELEPHONY = (
    Table(
        "hours",
        tallied(HOUR),
        lambda report: (
            _row(hour_number(hour), tally) for hour, tally in report.hours.counted.items()
        ),
    ),
    *(_lines(name) for name in _KEYS),
    Table(
        "waits",
        f"SELECT {bands('c.wait_seconds')}, sum({ANSWERED}), sum({_GAVE_UP}), "  # noqa: S608
        "sum(coalesce(c.outcome NOT IN ('answered', 'abandoned_queue'), 1)) "
        f"FROM call c WHERE {INCOMING} AND c.wait_seconds IS NOT NULL GROUP BY 1",
        _waits,
    ),
    Table(
        "how often they called",
        f"SELECT sum(n), sum(n > 1) FROM ({_CALLERS})",  # noqa: S608
        lambda report: [
            (
                sum(one.calls for one in report.callers.often),
                sum(one.callers for one in report.callers.often if one.low > 1),
            )
        ],
    ),
    Table(
        "who called most often",
        f"{_CALLERS} HAVING n > 1 ORDER BY n DESC, 1 LIMIT 20",
        lambda report: ((one.number, one.calls, one.accepted) for one in report.callers.top),
    ),
    Table(
        "queues",
        "SELECT v.queue, count(*), sum(v.result = 'answered') FROM call c "  # noqa: S608
        f"JOIN queue_visit v ON v.call_id = c.id WHERE {INCOMING} GROUP BY 1",
        lambda report: ((one.name, one.visits, one.results["answered"]) for one in report.queues),
    ),
    Table(
        "handed on",
        "SELECT t.kind, count(*), sum(t.returned) FROM call c "  # noqa: S608
        f"JOIN transfer t ON t.call_id = c.id WHERE {INCOMING} GROUP BY 1",
        lambda report: (
            (one.kind, one.transfers, one.returned) for one in report.handed if one.transfers
        ),
    ),
    Table(
        "talks of operators",
        "SELECT t.who, count(DISTINCT c.id), sum(t.ended_at - t.started_at) / 1e6 FROM call c "  # noqa: S608
        f"JOIN talk t ON t.call_id = c.id WHERE {INCOMING} AND t.party = 'operator' "
        "AND t.ended_at IS NOT NULL GROUP BY 1",
        _workload,
    ),
    Table("states of operators", STATES, _states),
    Table(
        "rings in vain",
        "SELECT r.operator, count(*) FROM call c JOIN queue_visit v ON v.call_id = c.id "  # noqa: S608
        f"JOIN ring r ON r.visit_id = v.id WHERE {INCOMING} AND r.result = 'no_answer' GROUP BY 1",
        lambda report: ((w.operator, w.missed_rings) for w in report.workload if w.missed_rings),
    ),
    *BALANCE,
    OTHERS,
)
