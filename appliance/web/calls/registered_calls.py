"""Registered calls: the list, the page of each, and corrections.

A registered call is form №2, the call form, which operators fill in for every answered call. Form
№1 is the form of an appeal.
"""

import datetime as dt
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Response,
    abort,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import call_forms, catalogs, forms, identity
from appliance.casework.appeals import queries
from appliance.casework.scripts import runs
from appliance.core import audit, clock, spreadsheets
from appliance.core.i18n import localized_name
from appliance.messaging.notices import call_alerts
from appliance.people import accounts, rights
from appliance.telephony import calls
from appliance.web.shared import articles, followed_scripts
from appliance.web.shared.form_fields import fields_context, unmasked_values
from appliance.web.shell import disclosure, formats, labels
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, start_of_day
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import page_number

if TYPE_CHECKING:
    from appliance.models import CallForm

screen = Blueprint("call_forms", __name__, url_prefix="/call-forms")

FORMS_PER_PAGE = 50
RECORD_COLUMN_LABELS = {
    "number": _l("Number"),
    "received_at": _l("Received"),
    "operator": _l("Operator"),
    "phone": _l("Phone"),
    "appeal_number": _l("Appeal"),
}


@screen.get("")
@may("call_form.read")
def list_registered_calls() -> str:
    """Show the registered calls that the filters of the address select, newest first."""
    filters, filter_values = _requested_filters()
    page = page_number()
    count = call_forms.count_call_forms(me(), filters)
    lines = call_forms.list_call_forms(me(), filters, FORMS_PER_PAGE, (page - 1) * FORMS_PER_PAGE)
    disclosure.log_shown("call_form", [call_form.number for call_form in lines], filter_values)
    regions = [(r.soato, localized_name(r, locale())) for r in catalogs.match_regions("")]
    return render_template(
        "registered/list.html",
        lines=lines,
        count=count,
        page=page,
        pages=max(1, -(-count // FORMS_PER_PAGE)),
        asked=filter_values,
        names={
            name: catalogs.labels_with_unlisted(name, locale())
            for name in ("call_type", "direction")
        },
        named=lambda thing: localized_name(thing, locale()),
        choices={
            "call_type": (labels.FIELDS["call_type"], catalogs.item_choices("call_type", locale())),
            "direction": (labels.FIELDS["direction"], catalogs.item_choices("direction", locale())),
            "region": (labels.FIELDS["region"], regions),
        },
        labels=labels,
        may_take=rights.has_right(me(), "call_form.export"),
    )


@screen.get("/table.csv")
@may("call_form.export")
@long_running
def download_registered_calls() -> Response:
    """Send the registered calls that the filters of the address select, as a CSV table.

    It has the columns that the user may export. The download is recorded in the audit log.
    """
    filters, _filter_values = _requested_filters()
    audit.record_entry(me().login, "call_forms.download", request.query_string.decode()[:500])
    name = f"qongiroqlar_{clock.now().astimezone(site().tz):%Y-%m-%d}.csv"
    return Response(
        stream_with_context(_csv_pieces(call_forms.iterate_form_batches(me(), filters))),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@screen.get("/<number>")
@may("call_form.read")
def show_registered_call(number: str) -> str:
    """Show one registered call: its form, its call, its earlier versions (`wordings`)."""
    call_form = _visible_form(number)
    disclosure.log_shown("call_form", [call_form.number])
    definition, values = (
        forms.numbered_definition(forms.CALL_FORM, call_form.version),
        call_forms.call_form_values(call_form),
    )
    return render_template(
        "registered/page.html",
        made=call_form,
        call=calls.find_call(call_form.call_id),
        alert=call_alerts.find_call_alert(call_form.number),
        rows=[
            (f.name, f.localized_label(locale()), labels.field_display(f, values))
            for f in definition.fields
        ],
        as_typed=labels.readable_text,
        doubts=labels.doubt_texts(call_form.warnings, definition),
        empty=labels.empty_fields(call_form.warnings),
        wordings=[
            (
                earlier,
                [
                    (f.localized_label(locale()), labels.field_display(f, earlier.values))
                    for f in definition.fields
                ],
            )
            for earlier in reversed(call_forms.list_previous_form_values(call_form))
        ],
        people=accounts.display_names(),
        followed=[]
        if call_form.veiled
        else followed_scripts.followed_scripts(runs.runs_of_registered_form(call_form)),
        opened_articles=[]
        if call_form.veiled
        else articles.article_openings(call_form.call_id, call_form.token),
        sees_call=bool(queries.viewable_call(me(), call_form.call_id)),
        may_correct=_can_correct_form(call_form),
    )


@screen.get("/<number>/correct")
@may("call_form.correct")
def show_form_correction(number: str) -> str:
    """Show the form of a registered call for correction."""
    call_form = _correctable_form(number)
    disclosure.log_shown("call_form", [call_form.number])
    definition = forms.numbered_definition(forms.CALL_FORM, call_form.version)
    return render_template(
        "registered/correction.html",
        made=call_form,
        **fields_context(definition, call_forms.call_form_values(call_form)),
    )


@screen.post("/<number>/correct")
@may("call_form.correct")
def save_form_correction(number: str) -> BaseResponse:
    """Store the corrected values of a registered call; the previous ones are kept as well."""
    call_form = _correctable_form(number)
    submitted = unmasked_values(
        request.form.to_dict(), call_forms.call_form_values(call_form), call_form.phone
    )
    values = forms.cleaned_values(
        forms.numbered_definition(forms.CALL_FORM, call_form.version), submitted
    )
    calendar = catalogs.working_calendar(site())
    changes = call_forms.correct_call_form(call_form, values, me().login, calendar)
    flash(_("Corrected.") if changes else _("Nothing was changed."))
    return redirect(url_for(".show_registered_call", number=number))


def _visible_form(number: str) -> "CallForm":
    """Return the call form with this number; abort with 404 if the user may not see it.

    It is veiled (without its contents) if the user may not read the appeal of the same call.
    """
    return call_forms.find_call_form(number, me()) or abort(404)


def _correctable_form(number: str) -> "CallForm":
    """Return the call form with this number; abort with 403 if the user may not correct it.

    A veiled form cannot be corrected, because its contents are hidden.
    """
    call_form = _visible_form(number)
    if call_form.veiled or not _can_correct_form(call_form):
        abort(403)
    return call_form


def _can_correct_form(call_form: "CallForm") -> bool:
    """Return True if the user registered the call or has the right to correct all call forms."""
    return rights.has_full_scope(me(), "call_form.correct") or call_form.operator_id == me().id


def _requested_filters() -> tuple[call_forms.Filters, dict[str, str]]:
    """Return the filters that the address gives, and the same as texts by parameter.

    Invalid dates are ignored. `until` in the address is the last day; in the filters it is the end
    of that day. `alone` selects the calls without an appeal, `requests` those that the monthly
    report counts as requests.
    """
    names = ("q", "since", "until", "call_type", "direction", "region", "alone", "requests")
    filter_values = {name: text for name in names if (text := request.args.get(name, "").strip())}
    since, until = (
        identity.parse_plausible_date(filter_values.get(name, "")) for name in ("since", "until")
    )
    return call_forms.Filters(
        since=start_of_day(since) if since else None,
        until=start_of_day(until + dt.timedelta(days=1)) if until else None,
        direction=filter_values.get("direction", ""),
        call_type=filter_values.get("call_type", ""),
        region=filter_values.get("region", ""),
        text=filter_values.get("q", ""),
        without_appeal=bool(filter_values.get("alone")),
        requests=bool(filter_values.get("requests")),
    ), filter_values


def _csv_pieces(batches: "Iterator[list[CallForm]]") -> Iterator[str]:
    """Return the pieces of a CSV file with headings, with the columns that the user may export.

    `batches` are the call forms, which are read while the file is sent.
    """
    columns, fields = call_forms.exportable_columns(me())
    headings = [
        *(str(RECORD_COLUMN_LABELS[name]) for name in columns),
        *(f.localized_label(locale()) for f in fields),
    ]
    cells = (_csv_row(call_form, columns, fields) for batch in batches for call_form in batch)
    return spreadsheets.csv_file_pieces(headings, cells)


def _csv_row(
    call_form: "CallForm", columns: tuple[str, ...], fields: tuple[forms.Field, ...]
) -> list[Any]:
    """Return the cells of a call form: `columns` of the record, then `fields` of the form."""
    field_texts = call_forms.field_values(
        forms.numbered_definition(forms.CALL_FORM, call_form.version), call_form, locale(), me()
    )
    row = {
        "number": call_form.number,
        "received_at": formats.moment(call_form.received_at).replace("\u00a0", " "),
        "operator": call_form.operator.name,
        "phone": call_form.phone.removeprefix("+"),
        "appeal_number": call_form.appeal_number,
    }
    return [
        *(row[name] for name in columns),
        *(field_texts.get(f.name, {}).get("text", "") for f in fields),
    ]
