"""Report form №1 as JSON, and as CSV with a line for each cell."""

from typing import Any

from appliance.core import spreadsheets
from appliance.reports import balance, paper, words
from appliance.reports.quarterly import wording
from appliance.reports.quarterly.activity import Fact
from appliance.reports.quarterly.report import QuarterlyReport

_PARTS = ("callback", "telegram_bot", "published", "recordings_kept", "appeals_kept")


def as_json(report: QuarterlyReport) -> dict[str, Any]:
    """The report as plain values: seconds, counts, null for unknown."""
    calls, staff, made = report.calls, report.qualification, report.activity
    return {
        "period": {
            "from": report.period.first.isoformat(),
            "to": report.period.last.isoformat(),
            "quarter": report.quarter,
        },
        "formulas": report.formulas,
        "balance": balance.as_json(report.balance, report.period.tz),
        "calls": {
            "incoming": calls.incoming,
            "accepted": calls.accepted,
            "missed": calls.missed,
            "talk_seconds_total": _rounded(calls.talk_seconds),
            "talk_seconds_average": _rounded(calls.average_seconds),
            "outgoing": calls.outgoing,
            "outgoing_answered": calls.outgoing_answered,
            "recovered": report.recovery.recovered if report.observed else None,
            "recovered_seconds_average": _rounded(report.recovery.average),
        },
        "staff": {
            "numbers": list(report.numbers),
            "operators": staff.operators,
            "education": {
                "incomplete_higher": staff.incomplete_higher,
                "secondary": staff.secondary,
                "upskilled": staff.upskilled,
            },
            "disciplined": staff.disciplined,
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
            "hours": "24/7" if made.hours.holds else None if made.hours.holds is None else "other",
            **{part: getattr(made, part).holds for part in _PARTS},
        },
        "activity_details": {part: _details(getattr(made, part)) for part in ("hours", *_PARTS)},
    }


def as_csv(report: QuarterlyReport) -> str:
    """One line a cell: table, row, column, its head on the form, value (empty: unknown)."""
    text = words.load(report.locale)
    form, calls, staff = text.quarterly, report.calls, report.qualification
    lines: list[tuple[object, ...]] = [
        ("table", "row", "column", "head", "value"),
        ("calls", "", "incoming", form.incoming, calls.incoming),
        ("calls", "", "accepted", form.accepted, calls.accepted),
        ("calls", "", "missed", form.missed, calls.missed),
        ("calls", "", "talk_seconds_total", form.talk_total, _rounded(calls.talk_seconds)),
        ("calls", "", "talk_seconds_average", form.talk_average, _rounded(calls.average_seconds)),
        ("calls", "", "outgoing", form.outgoing, calls.outgoing),
        ("staff", "", "numbers", form.numbers, ", ".join(report.numbers)),
        ("staff", "", "operators", form.operators, staff.operators),
        ("staff", "", "incomplete_higher", form.incomplete_higher, staff.incomplete_higher),
        ("staff", "", "secondary", form.secondary, staff.secondary),
        ("staff", "", "upskilled", form.upskilled, staff.upskilled),
        ("staff", "", "disciplined", form.disciplined, staff.disciplined),
    ]
    for row in report.intervals:
        name = wording.interval(row, report)
        lines += [
            ("staff", name, "staff", form.staff, row.staff),
            ("staff", name, "incoming", form.shift_incoming, row.incoming),
            ("staff", name, "accepted", form.shift_accepted, row.accepted),
        ]
    cells = (cell for cell, _ in wording.activity_cells(report))
    lines += [
        ("activity", "", part, getattr(form, part), cell)
        for part, cell in zip(("hours", *_PARTS), cells, strict=True)
    ]
    lines += [("balance", "", code, "", value) for code, value in paper.foot_cells(report)]
    return spreadsheets.written(lines)


def _details(fact: Fact) -> dict[str, Any]:
    return {
        "known_by": fact.source,
        "note": fact.note,
        "count": fact.count,
        "of": fact.of,
        "oldest": fact.oldest.isoformat() if fact.oldest else None,
        "until": fact.until.isoformat() if fact.until else None,
    }


def _rounded(seconds: float | None) -> float | None:
    """To the thousandth: sums of binary fractions would tell more than is known."""
    return None if seconds is None else round(seconds, 3)
