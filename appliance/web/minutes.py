"""Minutes of talk and their price: the act of a month, and the tariffs."""

import datetime as dt
from decimal import Decimal, InvalidOperation

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import audit, clock, i18n, identity, tariffs
from appliance.models import Tariff
from appliance.reports import files, minutes, periods, words
from appliance.reports.minutes import printing
from appliance.reports.periods import Period, PeriodError
from appliance.tariffs import TariffError
from appliance.web.access import may, role
from appliance.web.context import me, site
from appliance.web.language import locale

screen = Blueprint("minutes", __name__, url_prefix="/minutes")

READERS = ("ministry", "supervisor", "manager")
MONTHS_BACK = 24
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
    if language not in i18n.LOCALES:
        abort(400)
    made = minutes.build(site(), _period(), language)
    file = files.file_name("minutes", made, kind)
    audit.record(me().login, "report.download", "minutes", file=file)
    return Response(
        files.render("minutes", made, kind),
        mimetype=files.KINDS[kind],
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


def _page(typed: dict[str, str], trouble: str = "") -> str:
    period = _period()
    made = minutes.build(site(), period, locale())
    return render_template(
        "minutes/page.html",
        report=made,
        lines=[
            [printing.written(v) for v in printing.values(line, gettext)] for line in made.lines
        ],
        total=[printing.written(v) for v in printing.values(made.total, gettext)[5:]],
        unpriced=printing.unpriced(made),
        tariffs=tariffs.every(),
        today=_today(),
        directions=printing.DIRECTIONS,
        roundings=printing.ROUNDINGS,
        trunks=sorted({trunk.name for trunk in site().trunks} | {t.trunk for t in made.lines}),
        months=_months(),
        month=f"{period.first:%Y-%m}",
        typed=typed,
        trouble=trouble,
        may_edit=role() == "manager",
        money=printing.som,
        written=printing.written,
        text=words.load(locale()),
        balance=printing.foot(made),
        ministry_locale="uz_Cyrl",
        kinds=files.KINDS,
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


def _period() -> Period:
    month = request.args.get("month") or f"{_today():%Y-%m}"
    try:
        return periods.month(month, site().tz)
    except PeriodError:
        return periods.month(f"{_today():%Y-%m}", site().tz)


def _months() -> list[tuple[str, str]]:
    """The months to choose from, newest first."""
    named = words.load(locale()).months
    number = _today().year * 12 + _today().month - 1
    each = (divmod(n, 12) for n in range(number, number - MONTHS_BACK, -1))
    return [(f"{year}-{month + 1:02}", f"{named[month]} {year}") for year, month in each]
