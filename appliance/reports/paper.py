"""What reports have in common on paper: head, signatures, the balance of calls at the foot."""

import datetime as dt
import re
from collections.abc import Sequence
from typing import Any, Protocol

import jinja2

from appliance.core import script
from appliance.reports import balance, figures, kpi, words, xlsx
from appliance.reports.balance import Line, Others
from appliance.reports.inbound import Arrivals
from appliance.reports.periods import Period
from appliance.telephony.calls import Balance


class Made(Protocol):
    """What every paper tells of itself."""

    @property
    def locale(self) -> str: ...
    @property
    def period(self) -> Period: ...
    @property
    def made_at(self) -> dt.datetime: ...


class Balanced(Made, Protocol):
    """With the balance of the calls that came in."""

    @property
    def balance(self) -> Balance: ...


class Report(Balanced, Protocol):
    """What a report must tell to be printed."""

    @property
    def inbound(self) -> Arrivals: ...


pages = jinja2.Environment(
    loader=jinja2.FileSystemLoader(words.TEMPLATES),
    autoescape=True,
    trim_blocks=True,
    lstrip_blocks=True,
    undefined=jinja2.StrictUndefined,
)
pages.filters |= {"number": figures.number, "decimal": figures.decimal, "date": figures.date}
pages.filters["script"] = script.written


def page(template: str, report: Report, title: str, **shown: Any) -> str:
    """The paper as HTML for pdf.write: a template that extends paper.html."""
    return render(
        template, report, title, balance=foot(report), unobserved=unobserved(report), **shown
    )


def render(template: str, report: Made, title: str, **shown: Any) -> str:
    """The same for a report whose balance line is given as `balance`, or that is of no calls."""
    tz = report.period.tz
    return pages.get_template(template).render(
        report=report,
        words=words.load(report.locale),
        title=title,
        few=kpi.FEW,
        made_at=report.made_at.astimezone(tz).isoformat(timespec="seconds"),
        **shown,
    )


def book(report: Made, title: str, sheets: Sequence[xlsx.Sheet]) -> xlsx.Book:
    """The workbook of a report."""
    text = words.load(report.locale)
    return xlsx.Book(
        title=title,
        author=text.author,
        language=text.language,
        made_at=report.made_at,
        tz=report.period.tz,
        sheets=sheets,
        lengths=_pattern(text.length),
    )


def foot(report: Report) -> Line:
    """The balance in words (balance.line)."""
    return foot_with(report, balance.others(report.inbound.groups))


def foot_with(report: Balanced, others: Others) -> Line:
    """The same, of a report that was counted by the database."""
    text, tz = words.load(report.locale).balance, report.period.tz
    return balance.line(report.balance, others, report.made_at, tz, text)


def foot_line(found: Line, locale: str) -> str:
    """The balance as one text."""
    title = words.load(locale).balance.title
    return f"{title} {found.total}; {found.difference}. {found.rest}"


def foot_cells(report: Report) -> list[tuple[str, object]]:
    """The balance as lines of a table: what it is, and its value."""
    plain = balance.as_json(report.balance, report.period.tz)
    outcomes = plain.pop("outcomes")
    plain["unobserved"] = unobserved(report)
    counts = [(f"outcome {outcome}", count) for outcome, count in outcomes.items()]
    made = report.made_at.astimezone(report.period.tz).isoformat(timespec="seconds")
    return [*plain.items(), *counts, ("formulas", kpi.FORMULAS), ("made_at", made)]


def unobserved(report: Report) -> str:
    """Every stretch in which calls could not be seen; "" when there is none."""
    return balance.stretches(report.balance.unobserved, report.period.tz)


def _pattern(length: str) -> str:
    """A wording of a length ("{minutes} min. {seconds} sec.") as office programs' number format."""
    codes = {"{minutes}": "[m]", "{seconds}": "s"}
    parts = re.split(r"(\{minutes\}|\{seconds\})", length)
    return "".join(codes.get(part) or f'"{part}"' for part in parts if part)
