"""The report of accesses: who played recordings and viewed personal data in a month."""

from flask import Blueprint, Response, abort, render_template, request

from appliance.core import audit, i18n
from appliance.reports import files
from appliance.web.reports.forms import file_response, month_choices, requested_period
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import audit_action_text
from appliance.web.shell.language import locale

screen = Blueprint("accesses", __name__, url_prefix="/reports/accesses")

MAX_LINES_SHOWN = 200  # lines of each table on the page; the file has all


@screen.get("")
@may("access_report.read")
@long_running
def show_accesses() -> str:
    """Show who accessed personal data in a month (`month=2026-10`).

    That the report was shown is itself recorded in the audit.
    """
    period, is_invalid = requested_period("monthly")
    audit.record_entry(me().login, "audit.read", "", month=f"{period.first:%Y-%m}")
    access_report = files.build_report("accesses", site(), period, locale())
    return render_template(
        "accesses/page.html",
        made=access_report,
        shown=MAX_LINES_SHOWN,
        action=audit_action_text,
        people=access_report.names,
        months=month_choices(),
        month=f"{period.first:%Y-%m}",
        doubt=is_invalid,
    )


@screen.get("/accesses.<any(pdf, xlsx, csv, json):kind>")
@may("access_report.read")
@long_running
def download_accesses(kind: str) -> Response:
    """Send the report of a month as a file in the language `lang`.

    The download is recorded in the audit.
    """
    period, is_invalid = requested_period("monthly")
    language = request.args.get("lang", "uz_Cyrl")
    if is_invalid or language not in i18n.LOCALES:
        abort(400)
    access_report = files.build_report("accesses", site(), period, language)
    audit.record_entry(me().login, "audit.download", "", month=f"{period.first:%Y-%m}", kind=kind)
    name = files.file_name("accesses", access_report, kind)
    return file_response(files.render_file("accesses", access_report, kind), kind, name)
