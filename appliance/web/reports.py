"""Report form №2: its figures on the page, and the papers to take away."""

from flask import Blueprint, Response, abort, render_template, request

from appliance import audit, clock, i18n, identity
from appliance.reports import files, kpi, monthly, paper, periods, words
from appliance.reports.periods import Period, PeriodError
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.language import locale

screen = Blueprint("reports", __name__)

MONTHS_BACK = 24
READERS = ("ministry", "supervisor", "manager")


@screen.get("/reports")
@may(*READERS)
def page() -> str:
    """The five tables of a month (`month=2026-10`) to a date (`upto=20.10.2026`)."""
    period, doubt = _period()
    made = monthly.build(site(), period, locale())
    text = words.load(locale())
    return render_template(
        "reports/page.html",
        report=made,
        text=text,
        balance=paper.foot(made),
        unobserved=paper.unobserved(made),
        few=kpi.FEW,
        months=_months(),
        upto=request.args.get("upto", ""),
        doubt=doubt,
        ministry_locale="uz_Cyrl",
    )


@screen.get("/reports/<any(monthly):name>.<any(pdf, xlsx, csv, json):kind>")
@may(*READERS)
def download(name: str, kind: str) -> Response:
    """The report as a file, in the language `lang`; that it was taken is written down."""
    period, doubt = _period()
    language = request.args.get("lang", "uz_Cyrl")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = files.build(name, site(), period, language)
    file = files.file_name(name, made, kind)
    audit.record(me().login, "report.download", name, file=file)
    return Response(
        files.render(name, made, kind),
        mimetype=files.KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


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
