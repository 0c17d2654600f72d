"""Report forms №2 and №1: their figures on the page, and the papers to take away."""

import contextlib
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, abort, render_template, request, url_for
from flask_babel import gettext

from appliance.casework import identity
from appliance.core import audit, clock, i18n, script
from appliance.reports import balance, figures, files, kpi, paper, periods, words
from appliance.reports.balance import Others
from appliance.reports.periods import Period, PeriodError
from appliance.reports.quarterly import QuarterlyReport, wording
from appliance.telephony.calls import Balance
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

screen = Blueprint("reports", __name__)

MONTHS_BACK = 24
QUARTERS_BACK = 8


@dataclass(frozen=True)
class Behind:
    """The addresses of the lists behind a report's figures."""

    period: Period

    def calls(self, **conditions: object) -> str:
        """Calls; conditions are those of call_filters.CONDITIONS."""
        return url_for("analytics.listed", **self._address(conditions))

    def appeals(self, **conditions: object) -> str:
        """Appeals by the arrival of their call; conditions are those of the portal's list."""
        return url_for("portal.page", **self._address(conditions), all=1)

    def sums(self, found: Balance, others: Others) -> list[tuple[str, str]]:
        """The balance's total and what it is the sum of: (address, how it is told)."""
        told = balance.summands(found, others, words.load(locale()).balance)
        return [(self.calls(all=1, outcome=outcome or None), text) for outcome, text in told]

    def _address(self, conditions: dict[str, object]) -> dict[str, Any]:
        days = {"from": f"{self.period.first:%d.%m.%Y}", "to": f"{self.period.last:%d.%m.%Y}"}
        return days | {name: value for name, value in conditions.items() if value is not None}


def among(report: QuarterlyReport) -> list[str]:
    """For each interval of table 2, the condition "time" of its calls."""
    shifts = [f"{row.opens}-{row.closes}" for row in report.intervals if row.opens]
    return [
        f"{row.opens}-{row.closes}" if row.opens else f"!{','.join(shifts)}"
        for row in report.intervals
    ]


@screen.get("/reports")
@may("report.read")
@heavy
def page() -> str:
    """The five tables of a month (`month=2026-10`) to a date (`upto=20.10.2026`)."""
    period, doubt = period_of("monthly")
    made = files.build("monthly", site(), period, locale())
    disclosure.log_shown("appeal", [row.number for row in made.consultations])
    return render_template(
        "reports/page.html",
        report=made,
        text=words.load(locale()),
        balance=paper.foot(made),
        sums=Behind(period).sums(made.balance, balance.others(made.inbound.groups)),
        unobserved=paper.unobserved(made),
        in_script=script.written,
        few=kpi.FEW,
        behind=Behind(period),
        chosen=f"{period.first:%Y-%m}",
        choices=months(),
        upto=request.args.get("upto", ""),
        doubt=doubt,
    )


@screen.get("/reports/quarterly")
@may("report.read")
@heavy
def quarterly() -> str:
    """The three tables of a quarter (`quarter=2026-Q3`) to a date."""
    period, doubt = period_of("quarterly")
    made = files.build("quarterly", site(), period, locale())
    text = words.load(locale())
    return render_template(
        "reports/quarterly.html",
        report=made,
        text=text,
        form=text.quarterly,
        balance=paper.foot(made),
        sums=Behind(period).sums(made.balance, balance.others(made.inbound.groups)),
        wording=wording,
        length=figures.length,
        behind=Behind(period),
        among=among(made),
        chosen=periods.quarter_of(period.first),
        choices=quarters(),
        upto=request.args.get("upto", ""),
        doubt=doubt,
    )


@screen.get("/reports/<any(monthly, quarterly, daily):name>.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@heavy
def download(name: str, kind: str) -> Response:
    """The report as a file, in the language `lang`; that it was taken is written down."""
    period, doubt = period_of(name)
    language = request.args.get("lang", "uz_Cyrl")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = files.build(name, site(), period, language)
    file = files.file_name(name, made, kind)
    audit.record(me().login, "report.download", name, file=file)
    return given(files.render(name, made, kind), kind, file)


@screen.app_template_global("report_title")
def title(name: str) -> str:
    """What a report (of files.FORMS) is called."""
    return gettext(files.FORMS[name].name)


def given(content: bytes, kind: str, name: str) -> Response:
    """A file to be saved under a name."""
    disposition = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Response(content, mimetype=files.KINDS[kind], headers=disposition)


def period_of(name: str) -> tuple[Period, bool]:
    """The period asked for, and whether it could not be understood: then all of it, or now's."""
    tz = site().tz
    today = clock.now().astimezone(tz).date()
    field, running = {
        "monthly": ("month", f"{today:%Y-%m}"),
        "quarterly": ("quarter", periods.quarter_of(today)),
        "daily": ("day", f"{today}"),
    }[name]
    parse = files.FORMS[name].period
    text = request.args.get(field) or running
    upto = request.args.get("upto", "").strip()
    day = identity.day(upto) if upto else None
    exact = day.isoformat() if day else None
    for until, doubted in ((exact, bool(upto) and not day), (None, True)):
        with contextlib.suppress(PeriodError):  # what was asked for less exactly comes next
            return parse(text, tz, until), doubted
    return parse(running, tz, None), True


def months() -> list[tuple[str, str]]:
    """The months to choose from, newest first: 2026-10 and its name."""
    today = clock.now().astimezone(site().tz).date()
    named = words.load(locale()).months
    number = today.year * 12 + today.month - 1
    each = (divmod(n, 12) for n in range(number, number - MONTHS_BACK, -1))
    return [(f"{year}-{month + 1:02}", f"{named[month]} {year}") for year, month in each]


def quarters() -> list[tuple[str, str]]:
    """The quarters to choose from, newest first: 2026-Q3 and its name."""
    today = clock.now().astimezone(site().tz).date()
    form = words.load(locale()).quarterly
    number = today.year * 4 + (today.month - 1) // 3
    each = (divmod(n, 4) for n in range(number, number - QUARTERS_BACK, -1))
    return [(f"{y}-Q{q + 1}", form.quarter.format(year=y, quarter=q + 1)) for y, q in each]
