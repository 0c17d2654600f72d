"""The telephony report as JSON."""

import dataclasses
from typing import Any

from appliance.reports import balance
from appliance.reports.counting import Counted
from appliance.reports.kpi import Rate
from appliance.reports.telephony.columns import COLUMNS
from appliance.reports.telephony.report import TelephonyReport
from appliance.reports.telephony.waits import Waits


def as_json(report: TelephonyReport) -> dict[str, Any]:
    """The report as plain values: seconds, per cent, null for what has no value."""
    callers = report.callers
    return {
        "period": {
            "from": report.period.first.isoformat(),
            "to": report.period.last.isoformat(),
        },
        "asked": dict(report.call_filter.conditions),
        "formulas": report.formulas,
        "service_level_seconds": report.level,
        "balance": balance.as_json(report.balance, report.period.tz),
        "total": tally(report.total),
        "by_weekday_and_hour": [
            {"weekday": weekday, "hour": hour} | tally(found)
            for (weekday, hour), found in sorted(report.hours.weekdays.items())
        ],
        "by_day": [
            {"date": day.isoformat()} | tally(found) for day, found in report.hours.days.items()
        ],
        **{
            f"by_{key}": [
                {"key": line.key, "name": line.name, "share": _plain(line.share)}
                | tally(line.tally)
                for line in lines
            ]
            for key, lines in report.lines.items()
        },
        **_waits(report.waits),
        **_queues(report),
        "callers": {
            "often": [dataclasses.asdict(line) for line in callers.often],
            "hidden": callers.hidden,
            "repeated": callers.repeated,
        },
        "workload": [
            dataclasses.asdict(w)
            | {name: _rate(getattr(w, name)) for name in ("handling", "occupancy", "adherence")}
            for w in report.workload
        ],
        "line_quality": [dataclasses.asdict(line) | {"bad": line.is_bad} for line in report.heard],
    }


def _waits(waits: Waits) -> dict[str, Any]:
    return {
        "waits": [
            {
                "from": bucket.low,
                "to": bucket.high,
                "answered": bucket.answered,
                "abandoned": bucket.abandoned,
                "left": bucket.gone,
            }
            for bucket in waits.buckets
        ],
        "abandon_curve": [
            {"seconds": seconds, "share": rate.value} for seconds, rate in waits.abandon_curve()
        ],
    }


def _queues(report: TelephonyReport) -> dict[str, Any]:
    return {
        "queues": [
            {
                "queue": q.name,
                "visits": q.visits,
                "open": q.open,
                **q.results,
                "wait": _rate(q.wait),
            }
            for q in report.queues
        ],
        "transfers": [
            {"kind": h.kind, "transfers": h.transfers, "open": h.open, **h.results}
            | {"returned": h.returned}
            for h in report.handed
        ],
    }


def tally(found: Counted) -> dict[str, Any]:
    """One tally with the figures made of it, each rate of a column among them."""
    named = {
        "incoming": found.incoming,
        "accepted": found.accepted,
        "missed": found.missed,
        "open": found.open,
        "joined": found.joined,
        "abandoned": found.abandoned,
        "short": found.short,
        "talk_seconds": found.talk_seconds,
        "hold_seconds": found.hold_seconds,
        "registered": found.registered,
        "transferred": found.transferred,
        "answer_speed": _rate(found.answer_speed),
        "answer_speed_from_arrival": _rate(found.answer_speed_from_arrival),
        "service_level": _rate(found.service_level),
        "abandon_rate": _rate(found.abandon_rate),
        "talk": _rate(found.talk),
        "handling": _rate(found.handling),
        "marks": found.marks,
        "rating": _rate(found.rating),
        "rating_response": _rate(found.rating_response),
    }
    rates = (column.figure for column in COLUMNS if column.kind == "rate")
    return named | {name: _rate(getattr(found, name)) for name in rates if name not in named}


def _rate(rate: Rate) -> dict[str, Any]:
    return {"value": rate.value, "cases": rate.cases}


def _plain(share: Any) -> float | None:
    return None if share is None else float(share)
