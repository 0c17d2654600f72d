"""Who listened to what, and who looked at whom, month by month, to manager and ministry."""

from flask import Blueprint, Response, render_template

from appliance.core import audit
from appliance.people import accounts
from appliance.reports import accesses
from appliance.web.reports.forms import months, period_of
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me
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
    return render_template(
        "accesses/page.html",
        made=accesses.build(period),
        shown=SHOWN,
        action=action,
        people=accounts.names(locale()),
        months=months(),
        month=f"{period.first:%Y-%m}",
        doubt=doubt,
    )


@screen.get("/accesses.csv")
@may("access_report.read")
@heavy
def download() -> Response:
    """The same month as a table: a line for each record of each person."""
    period, _doubt = period_of("monthly")
    month = f"{period.first:%Y-%m}"
    audit.record(me().login, "audit.download", "", month=month)
    return Response(
        accesses.as_csv(accesses.build(period)),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="korishlar_{month}.csv"'},
    )
