"""Minutes of talk and their price: the act of a month, and the tariffs."""

import datetime as dt
import re
from decimal import Decimal

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import identity
from appliance.core import audit, clock, i18n, phone_numbers
from appliance.reports import call_filters, files, minutes, paper, periods, tariffs, words
from appliance.reports.minutes import Line, MinutesReport, printing
from appliance.reports.periods import Period
from appliance.reports.tariffs import TariffError
from appliance.telephony import routing
from appliance.web.reports.forms import Behind, months, period_of
from appliance.web.shell import refusals
from appliance.web.shell.access import may, role
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale

screen = Blueprint("minutes", __name__, url_prefix="/minutes")

TROUBLES = {
    "direction": _l("Choose incoming or outgoing calls."),
    "rounding": _l("Choose how talk is rounded."),
    "price": _l("The price is a number of soʻm, as 150 or 87,50."),
    "days": _l("The days are dates as 01.12.2026, the last one not before the first."),
    "overlap": _l("Another tariff holds for these calls on these days: close it first."),
}


@screen.get("")
@may("report.read")
@heavy
def page() -> str:
    """The act of a month (`month=2026-10`), and the tariffs."""
    was = refusals.latest()
    period, doubt = period_of("monthly")
    made = minutes.build(site(), period, locale())
    return render_template(
        "minutes/page.html",
        report=made,
        lines=[(_cells(line), _opens(line, period)) for line in made.lines],
        opens_all=Behind(period).calls(direction="both", outcome="answered"),
        total=printing.total(made, gettext),
        unpriced=printing.unpriced(made),
        tariffs=tariffs.every(),
        today=_today(),
        directions=printing.DIRECTIONS,
        roundings=printing.ROUNDINGS,
        trunks=_trunks(made),
        months=months(),
        doubt=doubt,
        month=f"{period.first:%Y-%m}",
        typed=was.values,
        trouble=TROUBLES.get(was.trouble),
        may_edit=role() == "manager",
        money=printing.som,
        written=printing.written,
        text=words.load(locale()),
        balance=paper.foot_with(made, made.others),
        sums=Behind(period).sums(made.balance, made.others),
        ministry_locale="uz_Cyrl",
        kinds=files.KINDS,
    )


@screen.post("/tariffs")
@may("tariff.change")
def add() -> BaseResponse:
    """Set a price from a day on."""
    form = request.form
    first = identity.day(form.get("valid_from", ""))
    last = identity.day(form.get("valid_to", "")) if form.get("valid_to") else None
    try:
        if first is None or (form.get("valid_to") and last is None):
            raise TariffError("days", "no dates")
        tariffs.add(
            form.get("direction", ""),
            form.get("rounding", ""),
            _tiyin(form.get("price", "")),
            first,
            trunk=form.get("trunk", ""),
            number=phone_numbers.canonical(form.get("number", ""))
            or form.get("number", "").strip(),
            valid_to=last,
            by=me().login,
        )
    except TariffError as error:
        return refusals.back(url_for(".page"), error.code)
    flash(gettext("The tariff holds."))
    return redirect(url_for("minutes.page"))


@screen.post("/tariffs/<int:number>/close")
@may("tariff.change")
def close(number: int) -> BaseResponse:
    """Let a tariff end with today, or with its first day when that is to come."""
    tariff = tariffs.tariff(number) or abort(404)
    tariffs.close(tariff, max(_today(), tariff.valid_from), me().login)
    flash(gettext("The tariff is closed."))
    return redirect(url_for("minutes.page"))


@screen.get("/act.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@heavy
def act(kind: str) -> Response:
    """The act as a file, in the language `lang`; that it was taken is written down."""
    language = request.args.get("lang", "uz_Cyrl")
    period, doubt = period_of("monthly")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = minutes.build(site(), period, language)
    file = files.file_name("minutes", made, kind)
    audit.record(me().login, "report.download", "minutes", file=file)
    return Response(
        files.render("minutes", made, kind),
        mimetype=files.KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _trunks(made: MinutesReport) -> list[str]:
    """Those in force, and those whose calls are billed."""
    planned = {trunk.name for trunk in routing.current(site()).trunks}
    return sorted(planned | {line.trunk for line in made.lines})


def _cells(line: Line) -> list[str]:
    return [printing.written(value) for value in printing.values(line, gettext)]


def _opens(line: Line, period: Period) -> str:
    """Where the calls of a line are listed: its trunk's and number's, on its tariff's days."""
    (first, _), (_, last) = line.days[0], line.days[-1]
    inbound = line.direction == "inbound"
    return Behind(Period(first, last, period.tz)).calls(
        direction=None if inbound else line.direction,
        outcome="answered",
        trunk=line.trunk or call_filters.NONE,
        number=(line.number or call_filters.NONE) if inbound else None,
        days=periods.written(line.days) if len(line.days) > 1 else None,
    )


def _tiyin(text: str) -> int:
    """What was typed as soʻm, less than a hundred millions. Raises TariffError."""
    written = re.sub(r"[ \u00a0]", "", text).replace(",", ".")
    if not re.fullmatch(r"\d{1,8}(\.\d{1,2}0*)?", written, re.ASCII):
        raise TariffError("price", "no price")
    return int(Decimal(written) * 100)


def _today() -> dt.date:
    return clock.now().astimezone(site().tz).date()
