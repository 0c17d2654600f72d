"""The telephony report as JSON."""

import dataclasses
from typing import Any

from appliance.reports import balance
from appliance.reports.counting import CallTally
from appliance.reports.json_values import period_as_json, rate_as_json, share_as_json
from appliance.reports.telephony.columns import COLUMNS
from appliance.reports.telephony.report import TelephonyReport
from appliance.reports.telephony.waits import WaitCounts


def as_json(report: TelephonyReport) -> dict[str, Any]:
    """Return the report as plain values: seconds, percentages, None for figures without a value."""
    callers = report.callers
    return {
        "period": period_as_json(report.period),
        "asked": dict(report.call_filter.conditions),
        "formulas": report.formulas,
        "service_level_seconds": report.level,
        "balance": balance.as_json(report.balance, report.period.tz),
        "total": tally_as_json(report.total),
        "by_weekday_and_hour": [
            {"weekday": weekday, "hour": hour} | tally_as_json(line_tally)
            for (weekday, hour), line_tally in sorted(report.hours.by_weekday_and_hour.items())
        ],
        "by_day": [
            {"date": day.isoformat()} | tally_as_json(line_tally)
            for day, line_tally in report.hours.by_day.items()
        ],
        **{
            f"by_{key}": [
                {"key": line.key, "name": line.name, "share": share_as_json(line.share)}
                | tally_as_json(line.tally)
                for line in lines
            ]
            for key, lines in report.lines.items()
        },
        **_waits_as_json(report.waits),
        **_queues_as_json(report),
        "callers": {
            "often": [dataclasses.asdict(line) for line in callers.frequencies],
            "hidden": callers.hidden,
            "repeated": callers.repeat_calls,
        },
        "workload": [
            dataclasses.asdict(w)
            | {
                name: rate_as_json(getattr(w, name))
                for name in ("handling", "occupancy", "adherence")
            }
            for w in report.workload
        ],
        "line_quality": [
            dataclasses.asdict(line) | {"bad": line.is_bad} for line in report.phone_lines
        ],
    }


def _waits_as_json(waits: WaitCounts) -> dict[str, Any]:
    """Return the members "waits" and "abandon_curve" of the report; bounds are in seconds."""
    return {
        "waits": [
            {
                "from": bucket.low,
                "to": bucket.high,
                "answered": bucket.answered,
                "abandoned": bucket.abandoned,
                "left": bucket.left_otherwise,
            }
            for bucket in waits.buckets
        ],
        "abandon_curve": [
            {"seconds": seconds, "share": rate.value} for seconds, rate in waits.abandon_curve()
        ],
    }


def _queues_as_json(report: TelephonyReport) -> dict[str, Any]:
    """Return the members "queues" and "transfers" of the report."""
    return {
        "queues": [
            {
                "queue": queue.name,
                "visits": queue.visits,
                "open": queue.open,
                **queue.results,
                "wait": rate_as_json(queue.wait),
            }
            for queue in report.queues
        ],
        "transfers": [
            {
                "kind": transfers.kind,
                "transfers": transfers.transfers,
                "open": transfers.open,
                **transfers.results,
            }
            | {"returned": transfers.returned}
            for transfers in report.transfers
        ],
    }


def tally_as_json(tally: CallTally) -> dict[str, Any]:
    """Return a tally as plain values: its counts and sums, and the figures computed from them."""
    figures = {
        "incoming": tally.incoming,
        "accepted": tally.accepted,
        "missed": tally.missed,
        "open": tally.open,
        "joined": tally.joined,
        "abandoned": tally.abandoned,
        "short": tally.short,
        "talk_seconds": tally.talk_seconds,
        "hold_seconds": tally.hold_seconds,
        "registered": tally.registered,
        "transferred": tally.transferred,
        "answer_speed": rate_as_json(tally.answer_speed),
        "answer_speed_from_arrival": rate_as_json(tally.answer_speed_from_arrival),
        "service_level": rate_as_json(tally.service_level),
        "abandon_rate": rate_as_json(tally.abandon_rate),
        "talk": rate_as_json(tally.talk),
        "handling": rate_as_json(tally.handling),
        "marks": tally.marks,
        "rating": rate_as_json(tally.rating),
        "rating_response": rate_as_json(tally.rating_response),
    }
    # the rates of columns that are not listed above, so that a new column is exported too
    rates = (column.figure for column in COLUMNS if column.kind == "rate")
    return figures | {
        name: rate_as_json(getattr(tally, name)) for name in rates if name not in figures
    }
