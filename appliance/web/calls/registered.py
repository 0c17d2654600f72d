"""Registered calls: form №2 in a list, one by one, corrected."""

import datetime as dt
from collections.abc import Iterator
from itertools import chain
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

from appliance.casework import appeals, call_forms, catalogs, forms, identity
from appliance.casework.scripts import runs
from appliance.core import audit, clock, spreadsheets
from appliance.core.i18n import named
from appliance.messaging.notices import call_alerts
from appliance.people import accounts, rights
from appliance.telephony import calls
from appliance.web.calls import scripts
from appliance.web.knowledge import reading
from appliance.web.shell import disclosure, formats, labels
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.language import locale
from appliance.web.shell.sent import bounded
from appliance.web.workplace.forms import drawn, meant

if TYPE_CHECKING:
    from appliance.models import CallForm

screen = Blueprint("call_forms", __name__, url_prefix="/call-forms")

PAGE = 50
# What stands in the table beside the form's own fields.
COLUMNS = {
    "number": _l("Number"),
    "received_at": _l("Received"),
    "operator": _l("Operator"),
    "phone": _l("Phone"),
    "appeal_number": _l("Appeal"),
}


@screen.get("")
@may("call_form.read")
def listed() -> str:
    """The registered calls that the address asks for, newest first."""
    filters, asked = _filters()
    page = max(1, request.args.get("page", 1, bounded))
    count = call_forms.counted(me(), filters)
    lines = call_forms.listed(me(), filters, PAGE, (page - 1) * PAGE)
    disclosure.log_shown("call_form", [made.number for made in lines], asked)
    regions = [(r.soato, named(r, locale())) for r in catalogs.find_regions("")]
    return render_template(
        "registered/list.html",
        lines=lines,
        count=count,
        page=page,
        pages=max(1, -(-count // PAGE)),
        asked=asked,
        names={name: catalogs.shown_labels(name, locale()) for name in ("call_type", "direction")},
        named=lambda thing: named(thing, locale()),
        choices={
            "call_type": (labels.FIELDS["call_type"], catalogs.choices("call_type", locale())),
            "direction": (labels.FIELDS["direction"], catalogs.choices("direction", locale())),
            "region": (labels.FIELDS["region"], regions),
        },
        labels=labels,
        may_take=rights.has(me(), "call_form.export"),
    )


@screen.get("/table.csv")
@may("call_form.export")
@heavy
def download() -> Response:
    """The same as a table for spreadsheets; without names for who may not see them in bulk."""
    filters, _asked = _filters()
    audit.record(me().login, "call_forms.download", request.query_string.decode()[:500])
    name = f"qongiroqlar_{clock.now().astimezone(site().tz):%Y-%m-%d}.csv"
    return Response(
        stream_with_context(_written(call_forms.pieces(me(), filters))),
        mimetype="text/csv",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


@screen.get("/<number>")
@may("call_form.read")
def page(number: str) -> str:
    """One registered call: its form, its call, how it was corrected."""
    made = _loaded(number)
    disclosure.log_shown("call_form", [made.number])
    asked, values = forms.of(forms.CALL, made.version), call_forms.values_of(made)
    return render_template(
        "registered/page.html",
        made=made,
        call=calls.call(made.call_id),
        alert=call_alerts.alert_of(made.number),
        rows=[(f.name, f.called(locale()), labels.field_text(f, values)) for f in asked.fields],
        as_typed=labels.typed,
        doubts=labels.doubts_by_field(made.warnings, asked),
        empty=labels.empty_fields(made.warnings),
        wordings=[
            (past, [(f.called(locale()), labels.field_text(f, past.values)) for f in asked.fields])
            for past in reversed(call_forms.wordings(made))
        ],
        people=accounts.names(),
        followed=[] if made.veiled else scripts.shown(runs.of_form_kept(made)),
        opened_articles=[] if made.veiled else reading.shown_at(made.call_id, made.token),
        sees_call=bool(appeals.call_open_to(me(), made.call_id)),
        may_correct=_may_correct(made),
    )


@screen.get("/<number>/correct")
@may("call_form.correct")
def correction(number: str) -> str:
    """The form of a registered call, to be corrected."""
    made = _own(number)
    disclosure.log_shown("call_form", [made.number])
    asked = forms.of(forms.CALL, made.version)
    return render_template(
        "registered/correction.html", made=made, **drawn(asked, call_forms.values_of(made))
    )


@screen.post("/<number>/correct")
@may("call_form.correct")
def correct(number: str) -> BaseResponse:
    """Put the corrected form in force; how it stood before is kept."""
    made = _own(number)
    sent = meant(request.form.to_dict(), call_forms.values_of(made), made.phone)
    values = forms.cleaned(forms.of(forms.CALL, made.version), sent)
    calendar = catalogs.working_calendar(site())
    changes = call_forms.correct(made, values, me().login, calendar)
    flash(_("Corrected.") if changes else _("Nothing was changed."))
    return redirect(url_for(".page", number=number))


def _loaded(number: str) -> "CallForm":
    return call_forms.find(number, me()) or abort(404)


def _own(number: str) -> "CallForm":
    made = _loaded(number)
    if made.veiled or not _may_correct(made):
        abort(403)
    return made


def _may_correct(made: "CallForm") -> bool:
    return rights.of_all(me(), "call_form.correct") or made.operator_id == me().id


def _filters() -> tuple[call_forms.Filters, dict[str, str]]:
    """What the address asks for; what it says wrong is passed over."""
    names = ("q", "since", "until", "call_type", "direction", "region", "alone")
    asked = {name: text for name in names if (text := request.args.get(name, "").strip())}
    since, until = (identity.day(asked.get(name, "")) for name in ("since", "until"))
    return call_forms.Filters(
        since=_midnight(since) if since else None,
        until=_midnight(until + dt.timedelta(days=1)) if until else None,
        direction=asked.get("direction", ""),
        call_type=asked.get("call_type", ""),
        region=asked.get("region", ""),
        text=asked.get("q", ""),
        alone=bool(asked.get("alone")),
    ), asked


def _midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), site().tz)


def _written(pieces: "Iterator[list[CallForm]]") -> Iterator[str]:
    named_too = rights.has(me(), "applicant.export")
    asked = forms.fields_of_all_versions(forms.CALL)
    fields = [f for f in asked if f.exported and (named_too or not f.personal)]
    beside = [name for name in COLUMNS if named_too or name != "phone"]
    heads = [*(str(COLUMNS[name]) for name in beside), *(f.called(locale()) for f in fields)]
    cells = (_cells(made, beside, fields) for piece in pieces for made in piece)
    yield spreadsheets.MARK
    yield from spreadsheets.pieces(chain([heads], cells), delimiter=";")


def _cells(made: "CallForm", beside: list[str], fields: list[forms.Field]) -> list[Any]:
    told = call_forms.fields_of(forms.of(forms.CALL, made.version), made, locale())
    row = {
        "number": made.number,
        "received_at": formats.moment(made.received_at).replace("\u00a0", " "),
        "operator": made.operator.name,
        "phone": made.phone.removeprefix("+"),
        "appeal_number": made.appeal_number,
    }
    return [*(row[n] for n in beside), *(told.get(f.name, {}).get("text", "") for f in fields)]
