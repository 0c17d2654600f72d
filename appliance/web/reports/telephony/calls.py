"""The list of the calls that a figure counts, and its export as CSV file and as workbook."""

from collections.abc import Iterator

from flask import Response, abort, render_template, stream_with_context

from appliance.casework.appeals import queries
from appliance.core import audit
from appliance.reports import call_filters
from appliance.reports.call_filters import CallFilter, Reader
from appliance.reports.telephony import call_workbook
from appliance.reports.telephony import calls as figure_calls
from appliance.web.reports.forms import file_response
from appliance.web.reports.telephony.blueprint import screen
from appliance.web.reports.telephony.requested import (
    calls_url,
    can_read_numbers,
    filter_arguments,
    requested_filter,
)
from appliance.web.shared.telephony_labels import OUTBOUND_OUTCOMES, OUTCOMES
from appliance.web.shell import disclosure
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import page_number

CALLS_PER_PAGE = 50


@screen.get("/calls")
@may("report.read")
@long_running
def list_figure_calls() -> str:
    """Show the calls that a figure counts, newest first; the URL has the figure's filter."""
    call_filter, _ = requested_filter(allow_outgoing=True)
    number = page_number()
    count = figure_calls.count_calls(call_filter)
    rows = figure_calls.calls_page(call_filter, CALLS_PER_PAGE, (number - 1) * CALLS_PER_PAGE)
    if can_read_numbers():
        disclosure.log_shown("call", [row.call.id for row in rows], call_filter.conditions)
    return render_template(
        "analytics/calls.html",
        call_filter=call_filter,
        count=count,
        page=number,
        pages=max(1, -(-count // CALLS_PER_PAGE)),
        rows=rows,
        cards=queries.viewable_call_ids(me(), [row.call.id for row in rows]),
        names=call_filters.dimension_names("operator", locale()),
        topics=call_filters.dimension_names("topic", locale()),
        regions=call_filters.dimension_names("region", locale()),
        outcomes=OUTCOMES | OUTBOUND_OUTCOMES,
        call_languages=CALL_LANGUAGES,
        asked=call_filters.describe_conditions(
            call_filter, Reader(me(), locale(), call_filter.period.tz)
        ),
        whole=can_read_numbers(),
        link=calls_url,
        address=filter_arguments,
    )


@screen.get("/calls.csv")
@may("report.read")
@long_running
def export_calls() -> Response:
    """Send the calls that the URL selects as a CSV file for programs, with codes.

    The file is sent while the calls are read.
    """
    call_filter, columns, file = _begin_calls_export("csv")

    def csv_chunks() -> Iterator[bytes]:
        """Yield the chunks of the file, encoded as UTF-8."""
        yield "\ufeff".encode()  # the byte order mark by which office programs recognise UTF-8
        for piece in figure_calls.as_csv(call_filter, columns):
            yield piece.encode()

    return Response(
        stream_with_context(csv_chunks()),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{file}"'},
    )


@screen.get("/calls.xlsx")
@may("report.read")
@long_running
def export_calls_workbook() -> Response:
    """Send the calls that the URL selects as a workbook, in words in the user's language."""
    call_filter, columns, file = _begin_calls_export("xlsx")
    content = call_workbook.as_workbook(call_filter, columns, locale())
    return file_response(content, "xlsx", file)


def _begin_calls_export(kind: str) -> tuple[CallFilter, list[str], str]:
    """Record the export of the calls that the URL selects; return what it contains.

    That is the filter of the calls, the columns that the user may see, and the name of the file,
    which ends with `kind`. Aborts with 400 if the URL's days are invalid.
    """
    call_filter, is_invalid = requested_filter(allow_outgoing=True)
    if is_invalid:
        abort(400)
    file = f"qongiroqlar_{call_filter.period.first}_{call_filter.period.last}.{kind}"
    audit.record_entry(me().login, "calls.export", file, asked=dict(call_filter.conditions))
    columns = [
        column
        for column in figure_calls.COLUMNS
        if can_read_numbers() or column not in figure_calls.PERSONAL_COLUMNS
    ]
    return call_filter, columns, file
