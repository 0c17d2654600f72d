"""Who listened to what, and who looked at whom, month by month, to manager and ministry."""

from flask import Blueprint, Response, abort, render_template, request

from appliance.core import audit, i18n
from appliance.reports import files
from appliance.web.reports.forms import given, months, period_of
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.status.audit import action

screen = Blueprint("accesses", __name__, url_prefix="/reports/accesses")

SHOWN = 200  # lines of each table; the file has all


@screen.get("")
@may("access_report.read")
@heavy
def page() -> str:
    """A month (`month=2026-10`)."""
    period, doubt = period_of("monthly")
    audit.record(me().login, "audit.read", "", month=f"{period.first:%Y-%m}")
    made = files.build("accesses", site(), period, locale())
    return render_template(
        "accesses/page.html",
        made=made,
        shown=SHOWN,
        action=action,
        people=made.names,
        months=months(),
        month=f"{period.first:%Y-%m}",
        doubt=doubt,
    )


@screen.get("/accesses.<any(pdf, xlsx, csv, json):kind>")
@may("access_report.read")
@heavy
def download(kind: str) -> Response:
    """The same month as a file: paper, or a line for each record of each person."""
    period, doubt = period_of("monthly")
    language = request.args.get("lang", "uz_Cyrl")
    if doubt or language not in i18n.LOCALES:
        abort(400)
    made = files.build("accesses", site(), period, language)
    audit.record(me().login, "audit.download", "", month=f"{period.first:%Y-%m}", kind=kind)
    name = files.file_name("accesses", made, kind)
    return given(files.render("accesses", made, kind), kind, name)
