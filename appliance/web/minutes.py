"""Minutes of talk and their price: the act of a month, and the tariffs."""

import datetime as dt
from decimal import Decimal, InvalidOperation

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import audit, clock, i18n, identity, tariffs
from appliance.models import Tariff
from appliance.reports import cuts, files, minutes, periods, words
from appliance.reports.minutes import Line, printing
from appliance.reports.periods import Period
from appliance.tariffs import TariffError
from appliance.web.access import may, role
from appliance.web.context import me, site
from appliance.web.language import locale
from appliance.web.reports import Behind, asked, months

screen = Blueprint("minutes", __name__, url_prefix="/minutes")

READERS = ("ministry", "supervisor", "manager")
TROUBLES = {
    "direction": _l("Choose incoming or outgoing calls."),
    "rounding": _l("Choose how talk is rounded."),
    "price": _l("The price is a number of soʻm, as 150 or 87,50."),
    "days": _l("The days are dates as 01.12.2026, the last one not before the first."),
    "overlap": _l("Another tariff holds for these calls on these days: close it first."),
}


@screen.get("")
@may(*READERS)
def page() -> str:
    """The act of a month (`month=2026-10`), and the tariffs."""
    return _page({})


@screen.post("/tariffs")
@may("manager")
def add() -> BaseResponse | tuple[str, int]:
    """Set a price from a day on."""
    form = request.form
    first = identity.born(form.get("valid_from", ""))
    last = identity.born(form.get("valid_to", "")) if form.get("valid_to") else None
    try:
        if first is None or (form.get("valid_to") and last is None):
            raise TariffError("days", "no dates")
        tariffs.add(
            form.get("direction", ""),
            form.get("rounding", ""),
            _tiyin(form.get("price", "")),
            first,
            trunk=form.get("trunk", ""),
            number=identity.phone(form.get("number", "")) or form.get("number", "").strip(),
            valid_to=last,
            by=me().login,
        )
    except TariffError as error:
        return _page(form.to_dict(), str(TROUBLES[error.code])), 422
    flash(gettext("The tariff holds."))
    return redirect(url_for("minutes.page"))


@screen.post("/tariffs/<int:number>/close")
@may("manager")
def close(number: int) -> BaseResponse:
    """Let a tariff end with today, or with its first day when that is to come."""
    tariff = Tariff.get_or_none(Tariff.id == number)
    if tariff is None:
        abort(404)
    tariffs.close(tariff, max(_today(), tariff.valid_from), me().login)
    flash(gettext("The tariff is closed."))
    return redirect(url_for("minutes.page"))


@screen.get("/act.<any(pdf, xlsx, csv, json):kind>")
@may(*READERS)
def act(kind: str) -> Response:
    """The act as a file, in the language `lang`; that it was taken is written down."""
    language = request.args.get("lang", "uz_Cyrl")
    period, doubt = asked("monthly")
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


def _page(typed: dict[str, str], trouble: str = "") -> str:
    period, doubt = asked("monthly")
    made = minutes.build(site(), period, locale())
    return render_template(
        "minutes/page.html",
        report=made,
        lines=[(_cells(line), _opens(line, period)) for line in made.lines],
        opens_all=Behind(period).calls(direction="both", outcome="answered"),
        total=_cells(made.total)[5:],
        unpriced=printing.unpriced(made),
        tariffs=tariffs.every(),
        today=_today(),
        directions=printing.DIRECTIONS,
        roundings=printing.ROUNDINGS,
        trunks=sorted({trunk.name for trunk in site().trunks} | {t.trunk for t in made.lines}),
        months=months(),
        doubt=doubt,
        month=f"{period.first:%Y-%m}",
        typed=typed,
        trouble=trouble,
        may_edit=role() == "manager",
        money=printing.som,
        written=printing.written,
        text=words.load(locale()),
        balance=printing.foot(made),
        sums=Behind(period).sums(made.balance, made.besides),
        ministry_locale="uz_Cyrl",
        kinds=files.KINDS,
    )


def _cells(line: Line) -> list[str]:
    return [printing.written(value) for value in printing.values(line, gettext)]


def _opens(line: Line, period: Period) -> str:
    """Where the calls of a line are listed: its trunk's and number's, on its tariff's days."""
    (first, _), (_, last) = line.days[0], line.days[-1]
    inbound = line.direction == "inbound"
    return Behind(Period(first, last, period.tz)).calls(
        direction=None if inbound else line.direction,
        outcome="answered",
        trunk=line.trunk or cuts.NONE,
        number=(line.number or cuts.NONE) if inbound else None,
        days=periods.written(line.days) if len(line.days) > 1 else None,
    )


def _tiyin(text: str) -> int:
    """What was typed as soʻm. Raises TariffError."""
    try:
        price = Decimal(text.replace("\u00a0", "").replace(" ", "").replace(",", "."))
        tiyin = price * 100
        if not price.is_finite() or tiyin != int(tiyin) or not 0 <= tiyin < 10**9:
            raise TariffError("price", f"no price: {text!r}")
    except InvalidOperation as error:
        raise TariffError("price", f"no price: {text!r}") from error
    return int(tiyin)


def _today() -> dt.date:
    return clock.now().astimezone(site().tz).date()
