"""Report form №2 as JSON and as one CSV table, for machines and spreadsheets."""

import statistics
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from appliance.casework.changes.summary import FIGURES
from appliance.core import spreadsheets
from appliance.reports import balance, paper, words
from appliance.reports.monthly.report import MonthlyReport
from appliance.reports.services import AGREED, Availability
from appliance.reports.tables import CountTable, Split, WeekdayTable


def as_json(report: MonthlyReport) -> dict[str, Any]:
    """The report as plain values: dates as 2026-10-01, shares in per cent, null for unknown."""
    return {
        "period": {
            "from": report.period.first.isoformat(),
            "to": report.period.last.isoformat(),
        },
        "formulas": report.formulas,
        "balance": balance.as_json(report.balance, report.period.tz),
        "appeals_by_weekday": _weekdays_json(report.appeals_by_weekday),
        "appeals_total": _split_json(report.appeals_by_weekday.total),
        "calls_by_weekday": _weekdays_json(report.calls_by_weekday),
        "calls_total": _split_json(report.calls_by_weekday.total),
        "appeals_by_region": [
            {"soato": r.code, "name": r.name, "count": r.count, "share": _plain(r.share)}
            for r in report.appeals_by_region.rows
        ],
        "appeals_by_direction": [
            {"code": r.code, "name": r.name, "count": r.count, "share": _plain(r.share)}
            for r in report.appeals_by_direction.rows
        ],
        "consultations": [
            {"date": c.date.isoformat(), "issue": c.issue, "contacted": c.contacted}
            for c in report.consultations
        ],
        "call_forms": {
            "accepted": report.call_forms.accepted,
            "registered": report.call_forms.registered,
            "share": report.call_forms.share.value,
        },
        "change_requests": _requests_json(report),
        "links": _links_json(report.links, report.rates),
        "restore_drill": report.drill
        and {
            "date": report.drill.date.isoformat() if report.drill.date else None,
            "passed": report.drill.passed,
        },
    }


def _requests_json(report: MonthlyReport) -> list[dict[str, Any]]:
    kinds = words.load(report.locale).changes.kinds
    return [
        {"code": row.kind, "name": kinds[row.kind], **dict(zip(FIGURES, row.figures, strict=True))}
        for row in report.change_requests
    ]


def _links_json(links: tuple[Availability, ...], rates: tuple[float, ...]) -> dict[str, Any]:
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
            "agreed_mbit": AGREED,
        },
    }


CSV_COLUMNS = (
    *("table", "code", "name", "inside", "inside_share", "outside", "outside_share"),
    *("count", "share", "date", "issue", "contacted"),
)


def as_csv(report: MonthlyReport) -> str:
    """The five tables, what the annex counts and the balance as one table.

    Each row is led by its table's name; the code "total" is a sum.
    """
    cells = ([row.get(column) for column in CSV_COLUMNS] for row in _rows(report))
    return spreadsheets.written([CSV_COLUMNS, *cells])


def _rows(report: MonthlyReport) -> Iterator[dict[str, Any]]:
    weekdays = words.load(report.locale).weekdays
    total = words.load(report.locale).total
    for name in ("appeals_by_weekday", "calls_by_weekday"):
        table: WeekdayTable = getattr(report, name)
        for number, split in enumerate(table.days, 1):
            row = {"table": name, "code": number, "name": weekdays[number - 1]}
            yield row | _split_json(split)
        yield {"table": name, "code": "total", "name": total} | _split_json(table.total)
    for name in ("appeals_by_region", "appeals_by_direction"):
        counts: CountTable = getattr(report, name)
        whole = ("total", total, counts.total, counts.total_share)
        for code, label, count, share in (
            *((r.code, r.name, r.count, r.share) for r in counts.rows),
            whole,
        ):
            yield {"table": name, "code": code, "name": label, "count": count, "share": share}
    for c in report.consultations:
        row = {"table": "consultations", "date": c.date.isoformat()}
        yield row | {"issue": c.issue, "contacted": c.contacted}
    forms = report.call_forms
    yield {
        "table": "annex",
        "code": "call_forms",
        "name": words.load(report.locale).annex.call_forms,
        "count": forms.registered,
        "share": None if forms.share.value is None else round(forms.share.value, 1),
    }
    names = words.load(report.locale).changes
    for one in report.change_requests:
        for figure, count in zip(FIGURES, one.figures, strict=True):
            name = f"{names.kinds[one.kind]}: {getattr(names, figure)}"
            row = {"table": "change_requests", "code": f"{one.kind} {figure}", "name": name}
            yield row | {"count": count}
    for code, value in paper.foot_cells(report):
        yield {"table": "balance", "code": code, "count": value}


def _weekdays_json(table: WeekdayTable) -> list[dict[str, Any]]:
    return [{"weekday": n} | _split_json(split) for n, split in enumerate(table.days, 1)]


def _split_json(split: Split) -> dict[str, Any]:
    return {
        "inside": split.inside,
        "inside_share": _plain(split.inside_share),
        "outside": split.outside,
        "outside_share": _plain(split.outside_share),
    }


def _plain(share: Decimal | None) -> float | None:
    return None if share is None else float(share)
