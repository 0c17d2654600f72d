"""The statement of a month's talk minutes and their price, and the tariffs."""

import re
from decimal import Decimal

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import identity
from appliance.core import audit, i18n, phone_numbers
from appliance.core.refusals import Refused
from appliance.reports import call_filters, files, minutes, paper, periods, report_texts, tariffs
from appliance.reports.minutes import BillingLine, MinutesReport, printing
from appliance.reports.periods import Period
from appliance.telephony import routing
from appliance.web.reports.forms import file_response, month_choices, requested_period
from appliance.web.shared.figure_links import FigureLinks
from appliance.web.shell import refusals
from appliance.web.shell.access import current_role, may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, today
from appliance.web.shell.language import locale

screen = Blueprint("minutes", __name__, url_prefix="/minutes")

TROUBLES = {
    "direction": _l("Choose incoming or outgoing calls."),
    "rounding": _l("Choose how talk time is rounded."),
    "price": _l("The price is a number of soʻm, such as 150 or 87,50."),
    "days": _l("Enter the days as dates such as 01.12.2026, the last one not before the first."),
    "overlap": _l("Another tariff applies to these calls on these days: close it first."),
}


@screen.get("")
@may("report.read")
@long_running
def show_minutes() -> str:
    """Show the statement of the talk minutes of a month (`month=2026-10`), and the tariffs."""
    refusal = refusals.latest_refusal()
    period, is_invalid = requested_period("monthly")
    minutes_report = minutes.build_minutes_report(site(), period, locale())
    return render_template(
        "minutes/page.html",
        report=minutes_report,
        lines=[(_line_cells(line), _line_calls_url(line, period)) for line in minutes_report.lines],
        opens_all=FigureLinks(period).calls(direction="both", outcome="answered"),
        total=printing.total_texts(minutes_report, gettext),
        unpriced=printing.unpriced_warning(minutes_report),
        tariffs=tariffs.all_tariffs(),
        today=today(),
        directions=printing.DIRECTION_LABELS,
        roundings=printing.ROUNDING_LABELS,
        trunks=_trunk_names(minutes_report),
        months=month_choices(),
        doubt=is_invalid,
        month=f"{period.first:%Y-%m}",
        typed=refusal.values,
        trouble=TROUBLES.get(refusal.trouble),
        may_edit=current_role() == "manager",
        money=printing.tiyin_to_som,
        written=printing.value_text,
        text=report_texts.load_texts(locale()),
        balance=paper.balance_footer_from_counts(minutes_report, minutes_report.excluded_calls),
        sums=FigureLinks(period).balance_links(
            minutes_report.balance, minutes_report.excluded_calls
        ),
        ministry_locale="uz_Cyrl",
        kinds=files.MIME_TYPES,
    )


@screen.post("/tariffs")
@may("tariff.change")
def add_tariff() -> BaseResponse:
    """Add a tariff: the price of talks, per minute or per call, from a given day on.

    It applies to incoming or outgoing calls, of one trunk or number if the form names them.
    """
    form = request.form
    first = identity.parse_plausible_date(form.get("valid_from", ""))
    last = identity.parse_plausible_date(form.get("valid_to", "")) if form.get("valid_to") else None
    try:
        if first is None or (form.get("valid_to") and last is None):
            raise Refused("days", "no dates")
        tariffs.add_tariff(
            form.get("direction", ""),
            form.get("rounding", ""),
            _parse_price(form.get("price", "")),
            first,
            trunk=form.get("trunk", ""),
            number=phone_numbers.canonical_number(form.get("number", ""))
            or form.get("number", "").strip(),
            valid_to=last,
            by=me().login,
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".show_minutes"), error.code)
    flash(gettext("The tariff is in force."))
    return redirect(url_for("minutes.show_minutes"))


@screen.post("/tariffs/<int:number>/close")
@may("tariff.change")
def close_tariff(number: int) -> BaseResponse:
    """Make today the last day of a tariff, or its first day if that is in the future."""
    tariff = tariffs.find_tariff(number) or abort(404)
    tariffs.close_tariff(tariff, max(today(), tariff.valid_from), me().login)
    flash(gettext("The tariff was closed."))
    return redirect(url_for("minutes.show_minutes"))


@screen.get("/act.<any(pdf, xlsx, csv, json):kind>")
@may("report.read")
@long_running
def download_statement(kind: str) -> Response:
    """Send the statement of talk minutes as a file in the language `lang`.

    The download is recorded in the audit.
    """
    language = request.args.get("lang", "uz_Cyrl")
    period, is_invalid = requested_period("monthly")
    if is_invalid or language not in i18n.LOCALES:
        abort(400)
    minutes_report = minutes.build_minutes_report(site(), period, language)
    file = files.file_name("minutes", minutes_report, kind)
    audit.record_entry(me().login, "report.download", "minutes", file=file)
    return file_response(files.render_file("minutes", minutes_report, kind), kind, file)


def _trunk_names(minutes_report: MinutesReport) -> list[str]:
    """Return the names of the configured trunks and of those whose calls are billed."""
    configured = {trunk.name for trunk in routing.current_plan(site()).trunks}
    return sorted(configured | {line.trunk for line in minutes_report.lines})


def _line_cells(line: BillingLine) -> list[str]:
    """Return the texts of a line of the statement, column by column."""
    return [printing.value_text(value) for value in printing.line_values(line, gettext)]


def _line_calls_url(line: BillingLine, period: Period) -> str:
    """Return the address of the list of the calls that a line of the statement counts.

    They are the answered calls of the line's trunk and number, on the days of its tariff.
    """
    (first, _), (_, last) = line.days[0], line.days[-1]
    inbound = line.direction == "inbound"  # which the list shows by default
    return FigureLinks(Period(first, last, period.tz)).calls(
        direction=None if inbound else line.direction,
        outcome="answered",
        trunk=line.trunk or call_filters.MISSING_VALUE,
        number=(line.number or call_filters.MISSING_VALUE) if inbound else None,
        days=periods.format_periods(line.days) if len(line.days) > 1 else None,
    )


def _parse_price(text: str) -> int:
    """Return a price typed in soʻm as a number of tiyin (hundredths of a soʻm).

    Raises Refused with the code `price` if it is not a number below 100,000,000 soʻm.
    """
    normalized = re.sub(r"[ \u00a0]", "", text).replace(",", ".")
    if not re.fullmatch(r"\d{1,8}(\.\d{1,2}0*)?", normalized, re.ASCII):
        raise Refused("price", "no price")
    return int(Decimal(normalized) * 100)
