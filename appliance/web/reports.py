"""Report form №2: its figures on the page, and the papers to take away."""

import json

from flask import Blueprint, Response, abort, render_template, request

from appliance import audit, clock, i18n, identity
from appliance.reports import balance, kpi, monthly, periods, words
from appliance.reports.periods import Period, PeriodError
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.language import locale

screen = Blueprint("reports", __name__)

MONTHS_BACK = 24
READERS = ("ministry", "supervisor", "manager")
KINDS = {"pdf": "application/pdf", "json": "application/json", "csv": "text/csv"}


@screen.get("/reports")
@may(*READERS)
def page() -> str:
    """The five tables of a month (`month=2026-10`) to a date (`upto=20.10.2026`)."""
    period, doubt = _period()
    made = monthly.build(site(), period.first, period.last, locale())
    text = words.load(locale())
    return render_template(
        "reports/page.html",
        report=made,
        text=text,
        balance=balance.line(made.balance, made.inbound, made.made_at, period.tz, text.balance),
        unobserved=balance.stretches(made.balance.unobserved, period.tz),
        few=kpi.FEW,
        months=_months(),
        upto=request.args.get("upto", ""),
        doubt=doubt,
        ministry_locale="uz_Cyrl",
    )


@screen.get("/reports/monthly.<any(pdf, json, csv):kind>")
@may(*READERS)
def download(kind: str) -> Response:
    """The report as a file, in the language `lang`; that it was taken is written down."""
    period, doubt = _period()
    language = request.args.get("lang", "uz_Cyrl")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = monthly.build(site(), period.first, period.last, language)
    name = f"hisobot-2_{period.first:%Y-%m}_{period.last:%Y-%m-%d}_{language}.{kind}"
    audit.record(me().login, "report.download", "monthly", file=name)
    return Response(
        _file(made, kind),
        mimetype=KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _file(made: monthly.MonthlyReport, kind: str) -> bytes:
    if kind == "json":
        return (json.dumps(monthly.as_json(made), ensure_ascii=False, indent=1) + "\n").encode()
    if kind == "csv":
        return monthly.as_csv(made).encode("utf-8-sig")  # the mark tells office programs what it is
    from appliance.reports import pdf  # takes a second to load: only who prints waits for it

    return pdf.monthly(made, made.locale)


def _period() -> tuple[Period, bool]:
    """The period asked for, and whether it could not be understood: then all of the month."""
    tz = site().tz
    month = request.args.get("month") or f"{clock.now().astimezone(tz):%Y-%m}"
    upto = request.args.get("upto", "").strip()
    day = identity.born(upto) if upto else None
    try:
        return periods.month(month, tz, day.isoformat() if day else None), bool(upto) and not day
    except PeriodError:
        pass
    try:
        return periods.month(month, tz), True
    except PeriodError:
        return periods.month(f"{clock.now().astimezone(tz):%Y-%m}", tz), True


def _months() -> list[tuple[str, str]]:
    """The months to choose from, newest first: 2026-10 and its name."""
    today = clock.now().astimezone(site().tz).date()
    named = words.load(locale()).months
    number = today.year * 12 + today.month - 1
    each = (divmod(n, 12) for n in range(number, number - MONTHS_BACK, -1))
    return [(f"{year}-{month + 1:02}", f"{named[month]} {year}") for year, month in each]
