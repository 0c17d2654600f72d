"""The daily summary on paper, as a workbook, as CSV and JSON."""

from typing import Any

from appliance.core import spreadsheets
from appliance.reports import annex, balance, figures, kpi, paper, words, xlsx
from appliance.reports.daily.report import DailyReport
from appliance.reports.tables import CountTable
from appliance.reports.xlsx import SUM, Cell, Table, Value


def title(report: DailyReport) -> str:
    """The file's title."""
    form = words.load(report.locale).daily
    return form.title.format(date=figures.date(report.period.last))


def as_page(report: DailyReport) -> str:
    """The paper as HTML, to be printed by pdf.write."""
    text = words.load(report.locale)
    return paper.page(
        "daily.html",
        report,
        title(report),
        hours=annex.hours(report, text.annex),
        no_calls=text.annex.no_calls if report.observed else text.unknown,
        rows=annex.rows(report, text),
        explained=annex.explained(report, text),
        audit_head=_audit_head(report),
    )


def as_book(report: DailyReport) -> xlsx.Book:
    """One sheet: the figures, and the appeals by direction and by region."""
    text = words.load(report.locale)
    answering = Table(
        heads=((text.annex.figure, text.annex.value, text.annex.target),),
        rows=[
            (row.label, f"{row.value}{' *' if row.few else ''}", row.target)
            for row in annex.rows(report, text)
        ],
        notes=(f"* {text.few}", *annex.explained(report, text)),
    )
    tables = (
        answering,
        _counts(text, text.monthly.direction, report.appeals_by_direction),
        _counts(text, text.monthly.region, report.appeals_by_region),
    )
    sheet = xlsx.Sheet(
        name=figures.date(report.period.last),
        tables=tables,
        widths=(58, 24, 18),
        heading=(title(report),),
        notes=(_audit_head(report), paper.foot_line(paper.foot(report), report.locale)),
    )
    return paper.book(report, title(report), (sheet,))


def as_json(report: DailyReport) -> dict[str, Any]:
    """The summary as plain values; seconds, per cent, null for unknown."""
    tally, seen = report.inbound.tally, report.observed
    return {
        "period": {"from": report.period.first.isoformat(), "to": report.period.last.isoformat()},
        "formulas": report.formulas,
        "audit_head": report.audit_head,
        "balance": balance.as_json(report.balance, report.period.tz),
        "answering": {
            "incoming": tally.incoming if seen else None,
            "accepted": tally.accepted if seen else None,
            "missed": tally.missed if seen else None,
            "answer_speed": _plain(tally.answer_speed),
            "answer_speed_from_arrival": _plain(tally.answer_speed_from_arrival),
            "service_level": _plain(tally.service_level),
            "abandon_rate": _plain(tally.abandon_rate),
            "rating": _plain(tally.rating),
            "rating_response": _plain(tally.rating_response),
        },
        "appeals_by_region": [
            {"soato": r.code, "name": r.name, "count": r.count}
            for r in report.appeals_by_region.rows
        ],
        "appeals_by_direction": [
            {"code": r.code, "name": r.name, "count": r.count}
            for r in report.appeals_by_direction.rows
        ],
    }


def as_csv(report: DailyReport) -> str:
    """One line a figure: table, code, name, value (empty: unknown)."""
    plain = as_json(report)
    labels = [row.label for row in annex.rows(report, words.load(report.locale))]
    names = dict(zip(plain["answering"], labels, strict=True)) | {
        "rating_response": "rating_response"
    }
    rows: list[tuple[object, ...]] = [("table", "code", "name", "value")]
    for code, value in plain["answering"].items():
        rows.append(("answering", code, names[code], value))
    for table, key in (("appeals_by_region", "soato"), ("appeals_by_direction", "code")):
        rows += [(table, row[key], row["name"], row["count"]) for row in plain[table]]
    rows.append(("audit", "head", "", report.audit_head))
    rows += [("balance", code, "", value) for code, value in paper.foot_cells(report)]
    return spreadsheets.written(rows)


def _audit_head(report: DailyReport) -> str:
    """What the audit's chain is compared with later, in words."""
    return words.load(report.locale).daily.audit.format(head=report.audit_head or figures.NONE)


def _counts(text: words.Words, name: str, table: CountTable) -> Table:
    rows: list[list[Value]] = [
        [row.name, row.count, row.share or figures.NONE] for row in table.rows
    ]
    share: Value = SUM if table.total else figures.NONE
    return Table(
        heads=((name, text.count, text.share),),
        rows=rows,
        total=(Cell(text.total), SUM, share),
    )


def _plain(rate: kpi.Rate) -> float | None:
    return None if rate.value is None else round(rate.value, 3)
