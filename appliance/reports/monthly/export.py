"""Report form №2 as JSON and as CSV."""

import statistics
from collections.abc import Iterator
from typing import Any

from appliance.casework.changes.summary import FIGURES
from appliance.core import spreadsheets
from appliance.reports import balance, paper, report_texts
from appliance.reports.box_services import AGREED_RATE_MBIT, LinkAvailability
from appliance.reports.json_values import period_as_json, share_as_json
from appliance.reports.monthly.report import MonthlyReport
from appliance.reports.tables import CountTable, HoursSplit, WeekdayTable


def as_json(report: MonthlyReport) -> dict[str, Any]:
    """Return the report as plain values.

    Dates have the form 2026-10-01, shares are in per cent, unknown values are None.
    """
    return {
        "period": period_as_json(report.period),
        "formulas": report.formulas,
        "balance": balance.as_json(report.balance, report.period.tz),
        "appeals_by_weekday": _weekdays_as_json(report.appeals.by_weekday),
        "appeals_total": _hours_split_as_json(report.appeals.by_weekday.total),
        "calls_by_weekday": _weekdays_as_json(report.calls_by_weekday),
        "calls_total": _hours_split_as_json(report.calls_by_weekday.total),
        "appeals_by_region": _counts_as_json(report.appeals.by_region, "soato"),
        "appeals_by_direction": _counts_as_json(report.appeals.by_direction, "code"),
        "consultations": [
            {
                "date": consultation.date.isoformat(),
                "issue": consultation.issue,
                "contacted": consultation.contacted,
            }
            for consultation in report.consultations
        ],
        "requests_by_weekday": _weekdays_as_json(report.requests.by_weekday),
        "requests_total": _hours_split_as_json(report.requests.by_weekday.total),
        "requests_by_region": _counts_as_json(report.requests.by_region, "soato"),
        "requests_by_direction": _counts_as_json(report.requests.by_direction, "code"),
        "counted": report.reading,
        "counting_rule": report.rule and report.rule.id,
        "call_forms": {
            "accepted": report.call_forms.accepted,
            "registered": report.call_forms.with_call_form,
            "share": report.call_forms.share.value,
        },
        "change_requests": _change_requests_as_json(report),
        "links": _links_as_json(report.links, report.rates),
        "restore_drill": report.drill
        and {
            "date": report.drill.date.isoformat() if report.drill.date else None,
            "passed": report.drill.passed,
        },
    }


def _change_requests_as_json(report: MonthlyReport) -> list[dict[str, Any]]:
    """Return the counts of the ministry's change requests, a dict for each kind of request."""
    kinds = report_texts.load_texts(report.locale).changes.kinds
    return [
        {"code": row.kind, "name": kinds[row.kind], **dict(zip(FIGURES, row.figures, strict=True))}
        for row in report.change_requests
    ]


def _links_as_json(links: tuple[LinkAvailability, ...], rates: tuple[float, ...]) -> dict[str, Any]:
    """Return the availability of the box's links, and the measured internet rates (Mbit/s)."""
    return {
        "availability": [
            {
                "link": link.link,
                "share": None if link.share is None else round(link.share, 2),
                "up_seconds": round(link.up),
                "down_seconds": round(link.down),
                "outages": link.outages,
            }
            for link in links
        ],
        "rate": {
            "measured": len(rates),
            "mean_mbit": round(statistics.fmean(rates), 1) if rates else None,
            "least_mbit": round(min(rates), 1) if rates else None,
            "agreed_mbit": AGREED_RATE_MBIT,
        },
    }


CSV_COLUMN_NAMES = (
    *("table", "code", "name", "inside", "inside_share", "outside", "outside_share"),
    *("count", "share", "date", "issue", "contacted"),
)


def as_csv(report: MonthlyReport) -> str:
    """Return the five tables, the counts of the annex and the balance as one CSV table.

    Tables 1, 3 and 4 are in both readings: of every request, and of the appeals alone. Each row
    begins with the name of the table that it belongs to; the code "total" marks a row of sums.
    """
    cells = ([row.get(column) for column in CSV_COLUMN_NAMES] for row in _csv_rows(report))
    return spreadsheets.csv_text([CSV_COLUMN_NAMES, *cells])


def _csv_rows(report: MonthlyReport) -> Iterator[dict[str, Any]]:
    """Yield each row as the values of the columns that it fills, by names of CSV_COLUMN_NAMES."""
    weekdays = report_texts.load_texts(report.locale).weekdays
    total = report_texts.load_texts(report.locale).total
    weekday_tables = {
        "appeals_by_weekday": report.appeals.by_weekday,
        "calls_by_weekday": report.calls_by_weekday,
        "requests_by_weekday": report.requests.by_weekday,
    }
    for name, table in weekday_tables.items():
        for number, split in enumerate(table.days, 1):
            row = {"table": name, "code": number, "name": weekdays[number - 1]}
            yield row | _hours_split_as_json(split)
        yield {"table": name, "code": "total", "name": total} | _hours_split_as_json(table.total)
    count_tables = {
        "appeals_by_region": report.appeals.by_region,
        "appeals_by_direction": report.appeals.by_direction,
        "requests_by_region": report.requests.by_region,
        "requests_by_direction": report.requests.by_direction,
    }
    for name, counts in count_tables.items():
        total_row = ("total", total, counts.total, counts.total_share)
        for code, label, count, share in (
            *(
                (count_row.code, count_row.name, count_row.count, count_row.share)
                for count_row in counts.rows
            ),
            total_row,
        ):
            yield {"table": name, "code": code, "name": label, "count": count, "share": share}
    for consultation in report.consultations:
        row = {"table": "consultations", "date": consultation.date.isoformat()}
        yield row | {"issue": consultation.issue, "contacted": consultation.contacted}
    call_forms = report.call_forms
    yield {
        "table": "annex",
        "code": "call_forms",
        "name": report_texts.load_texts(report.locale).annex.call_forms,
        "count": call_forms.with_call_form,
        "share": None if call_forms.share.value is None else round(call_forms.share.value, 1),
    }
    names = report_texts.load_texts(report.locale).changes
    for request_row in report.change_requests:
        for figure, count in zip(FIGURES, request_row.figures, strict=True):
            name = f"{names.kinds[request_row.kind]}: {getattr(names, figure)}"
            row = {"table": "change_requests", "code": f"{request_row.kind} {figure}", "name": name}
            yield row | {"count": count}
    for code, value in paper.footer_cells(report):
        yield {"table": "balance", "code": code, "count": value}


def _counts_as_json(table: CountTable, code_key: str) -> list[dict[str, Any]]:
    """Return a dict for each row; `code_key` is the key of its code."""
    return [
        {
            code_key: row.code,
            "name": row.name,
            "count": row.count,
            "share": share_as_json(row.share),
        }
        for row in table.rows
    ]


def _weekdays_as_json(table: WeekdayTable) -> list[dict[str, Any]]:
    """Return a dict for each weekday, from Monday, whose number is 1."""
    return [{"weekday": n} | _hours_split_as_json(split) for n, split in enumerate(table.days, 1)]


def _hours_split_as_json(split: HoursSplit) -> dict[str, Any]:
    """Return the counts and shares inside and outside working hours as plain values."""
    return {
        "inside": split.inside,
        "inside_share": share_as_json(split.inside_share),
        "outside": split.outside,
        "outside_share": share_as_json(split.outside_share),
    }
