"""Report form №1 as JSON, and as CSV with one line for each cell."""

from typing import Any

from appliance.core import spreadsheets
from appliance.reports import balance, paper, report_texts
from appliance.reports.json_values import period_as_json, round_to_thousandths
from appliance.reports.quarterly import wording
from appliance.reports.quarterly.activity import ActivityFact
from appliance.reports.quarterly.report import QuarterlyReport

# fields of Activity, in the order of table 3, except "hours": in JSON it is not a yes or no
_YES_NO_FIELDS = ("callback", "telegram_bot", "published", "recordings_kept", "appeals_kept")


def as_json(report: QuarterlyReport) -> dict[str, Any]:
    """Return the report as plain values: durations in seconds, None for unknown."""
    calls, qualification, activity = report.calls, report.qualification, report.activity
    return {
        "period": {**period_as_json(report.period), "quarter": report.quarter},
        "formulas": report.formulas,
        "balance": balance.as_json(report.balance, report.period.tz),
        "calls": {
            "incoming": calls.incoming,
            "accepted": calls.accepted,
            "missed": calls.missed,
            "self_served": report.menu_only.self_served if report.is_observed else None,
            "closed": report.menu_only.closed if report.is_observed else None,
            "talk_seconds_total": round_to_thousandths(calls.talk_seconds),
            "talk_seconds_average": round_to_thousandths(calls.average_seconds),
            "outgoing": calls.outgoing,
            "outgoing_answered": calls.outgoing_answered,
            "recovered": report.recovery.recovered if report.is_observed else None,
            "recovered_seconds_average": round_to_thousandths(report.recovery.average),
        },
        "staff": {
            "numbers": list(report.numbers),
            "operators": qualification.operators,
            "education": {
                "incomplete_higher": qualification.incomplete_higher,
                "secondary": qualification.secondary,
                "upskilled": qualification.upskilled,
            },
            "disciplined": qualification.disciplined,
            "intervals": [
                {
                    "from": row.opens,
                    "to": row.closes,
                    "staff": row.staff,
                    "incoming": row.incoming,
                    "accepted": row.accepted,
                }
                for row in report.intervals
            ],
        },
        "activity": {
            "hours": "24/7"
            if activity.hours.is_fulfilled
            else None
            if activity.hours.is_fulfilled is None
            else "other",
            **{part: getattr(activity, part).is_fulfilled for part in _YES_NO_FIELDS},
        },
        "activity_details": {
            part: _fact_as_json(getattr(activity, part)) for part in ("hours", *_YES_NO_FIELDS)
        },
    }


def as_csv(report: QuarterlyReport) -> str:
    """Return one line for each cell: table, row, column, column head on the form, value.

    An unknown value is empty.
    """
    texts = report_texts.load_texts(report.locale)
    form_texts, calls, qualification = texts.quarterly, report.calls, report.qualification
    lines: list[tuple[object, ...]] = [
        ("table", "row", "column", "head", "value"),
        ("calls", "", "incoming", form_texts.incoming, calls.incoming),
        ("calls", "", "accepted", form_texts.accepted, calls.accepted),
        ("calls", "", "missed", form_texts.missed, calls.missed),
        (
            "calls",
            "",
            "talk_seconds_total",
            form_texts.talk_total,
            round_to_thousandths(calls.talk_seconds),
        ),
        (
            "calls",
            "",
            "talk_seconds_average",
            form_texts.talk_average,
            round_to_thousandths(calls.average_seconds),
        ),
        ("calls", "", "outgoing", form_texts.outgoing, calls.outgoing),
        ("staff", "", "numbers", form_texts.numbers, ", ".join(report.numbers)),
        ("staff", "", "operators", form_texts.operators, qualification.operators),
        (
            "staff",
            "",
            "incomplete_higher",
            form_texts.incomplete_higher,
            qualification.incomplete_higher,
        ),
        ("staff", "", "secondary", form_texts.secondary, qualification.secondary),
        ("staff", "", "upskilled", form_texts.upskilled, qualification.upskilled),
        ("staff", "", "disciplined", form_texts.disciplined, qualification.disciplined),
    ]
    for row in report.intervals:
        name = wording.interval_label(row, report)
        lines += [
            ("staff", name, "staff", form_texts.staff, row.staff),
            ("staff", name, "incoming", form_texts.shift_incoming, row.incoming),
            ("staff", name, "accepted", form_texts.shift_accepted, row.accepted),
        ]
    cells = (cell for cell, _ in wording.activity_cells(report))
    lines += [
        ("activity", "", field, getattr(form_texts, field), cell)
        for field, cell in zip(("hours", *_YES_NO_FIELDS), cells, strict=True)
    ]
    lines += [("balance", "", code, "", value) for code, value in paper.footer_cells(report)]
    return spreadsheets.csv_text(lines)


def _fact_as_json(fact: ActivityFact) -> dict[str, Any]:
    """Return what an answer of table 3 is based on, as plain values."""
    return {
        "known_by": fact.source,
        "note": fact.note,
        "count": fact.count,
        "of": fact.of,
        "oldest": fact.oldest.isoformat() if fact.oldest else None,
        "until": fact.until.isoformat() if fact.until else None,
    }
