"""Citizens' requests about their own data: to learn what is stored, to correct it, to mask it."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import retention
from appliance.casework import catalogs, data_requests
from appliance.core import audit
from appliance.core.refusals import Refused
from appliance.messaging.notices import citizens
from appliance.people import accounts
from appliance.reports import data_request as paper
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site, today
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import DataRequest

screen = Blueprint("data_requests", __name__, url_prefix="/data-requests")

KINDS: dict[str, LazyString] = {
    "tell": _l("The data stored about me"),
    "correct": _l("Correct my data"),
    "mask": _l("Mask my data"),
}
# By state of a request: its name, the badge's kind, the icon.
STATES: dict[str, tuple[LazyString, str, str]] = {
    "open": (_l("Waiting for an answer"), "accent", "hourglass"),
    "done": (_l("Answered"), "ok", "circle-check"),
    "refused": (_l("Refused"), "", "octagon-alert"),
}
TROUBLES: dict[str, LazyString] = {
    "kind": _l("Choose what the request is about."),
    "person": _l("Enter who is asking."),
    "phone": _l(
        "Enter the citizen's phone, or the number of one of their appeals registered here."
    ),
    "proof": _l("State how you verified the citizen's identity."),
    "what": _l("Write what is to be corrected."),
    "answer": _l("Write the answer: what was corrected, or why it was refused."),
    "records": _l("Tick the entries that concern this person."),
    "closed": _l("These include a personal appeal: first open it on its page, giving a reason."),
    "changed": _l("The request was already answered."),
    "open": _l("These include an appeal that is not closed: it can be masked once it is closed."),
    "held": _l("These include an appeal that is protected from removal: see Retention."),
}
REQUEST_FIELDS = ("kind", "person", "phone", "number", "proof", "language", "what")


@screen.get("")
@may("data_request.answer")
def list_requests() -> str:
    """Show all citizens' requests, the most urgent first, and the form for a new one."""
    refusal, requests = refusals.latest_refusal(), data_requests.list_data_requests(me())
    disclosure.log_shown("data_request", [data_request.id for data_request in requests])
    return render_template(
        "data_requests/page.html",
        **_shared_context(),
        lines=[(data_request, _term_badge(data_request)) for data_request in requests],
        sent=refusal.values,
        trouble=TROUBLES.get(refusal.trouble),
        languages_spoken=CALL_LANGUAGES,
        days=data_requests.ANSWER_TERM.days,
    )


@screen.post("")
@may("data_request.answer")
def register_request() -> BaseResponse:
    """Register a citizen's request about their data; the term for the answer starts now."""
    values = {name: request.form.get(name, "") for name in REQUEST_FIELDS}
    try:
        data_request = data_requests.register_data_request(
            me(), values, catalogs.working_calendar(site())
        )
    except Refused as error:
        return refusals.redirect_back(url_for(".list_requests"), error.code, "new")
    return redirect(url_for(".show_request", number=data_request.id))


@screen.get("/<int:number>")
@may("data_request.answer")
def show_request(number: int) -> str:
    """Show a citizen's request; if it is open, also the records that may concern the citizen.

    The user ticks those that do, in the form of the answer.
    """
    data_request, refusal = _data_request_or_404(number), refusals.latest_refusal()
    stored = (
        data_requests.stored_records(data_request, me()) if data_request.state == "open" else None
    )
    disclosure.log_shown("data_request", [data_request.id])
    if stored:
        disclosure.log_shown("appeal", [appeal.number for appeal in stored.appeals])
        disclosure.log_shown("call_form", [call_form.number for call_form in stored.call_forms])
        disclosure.log_shown("message", [message.id for message in stored.messages])
        disclosure.log_shown("call", [call.id for call in stored.calls])
    return render_template(
        "data_requests/one.html",
        **_shared_context(),
        asked=data_request,
        left=_term_badge(data_request),
        stored=stored,
        ticked=refusal.values.getlist("record"),
        typed=refusal.values.get("answer", ""),
        trouble=TROUBLES.get(refusal.trouble),
        hinders=refusal.values.get("hinders", ""),
        papers=paper.LOCALES,
    )


@screen.post("/<int:number>/answer")
@may("data_request.answer")
def answer_request(number: int) -> BaseResponse:
    """Answer a citizen's request about the ticked records (`record`), and notify the citizen.

    The field `do` says whether the request is "done" or "refused". If it is a request to mask data
    and is done, the records are masked. If the answer is refused because of one appeal, its number
    is passed on to the page (`hinders`).
    """
    data_request, form = _data_request_or_404(number), request.form
    state, text, record_keys = form.get("do", ""), form.get("answer", ""), form.getlist("record")
    if state not in ("done", "refused"):
        abort(400)
    try:
        if state == "done" and data_request.kind == "mask":
            retention.mask_citizen(site(), data_request, me(), record_keys, text)
        else:
            citizens.answer_data_request(site(), data_request, me(), state, text, record_keys)
    except Refused as error:
        return refusals.redirect_back(
            url_for(".show_request", number=number), error.code, "answer", hinders=error.subject
        )
    flash(_("Answered."))
    return redirect(url_for(".show_request", number=number))


@screen.get("/<int:number>/<any(uz, ru):language>.pdf")
@may("data_request.answer")
@long_running
def download_answer(number: int, language: str) -> Response:
    """Send the answer to a request as a PDF; the download is recorded in the audit log.

    Aborts with 404 while it is not answered, and with 403 if it includes an appeal that the user
    may not read.
    """
    data_request = _data_request_or_404(number)
    if data_request.state == "open":
        abort(404)
    try:
        pdf = paper.render_answer(site(), data_request, me(), language)
    except Refused:
        abort(403)
    audit.record_entry(me().login, "data_request.download", str(data_request.id), language=language)
    name = f"javob-{data_request.id}-{language}.pdf"
    return Response(
        pdf,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _data_request_or_404(number: int) -> "DataRequest":
    """Return the citizen's request with this id; abort with 404 if the user may not see it."""
    return data_requests.find_data_request(number, me()) or abort(404)


def _term_badge(data_request: "DataRequest") -> tuple[str, str]:
    """Return the days left for the answer, as text, and the kind of the badge.

    The kind is "bad" for an overdue request, "warn" for one that is due soon, otherwise "". Returns
    two empty strings if the request is answered.
    """
    if data_request.state != "open":
        return "", ""
    days_left = (data_request.due_on - today()).days
    if days_left < 0:
        return _("Overdue: %(count)s", count=-days_left), "bad"
    is_near = days_left <= data_requests.WARNING_PERIOD // dt.timedelta(days=1)
    return _("Days left: %(count)s", count=days_left), "warn" if is_near else ""


def _shared_context() -> dict[str, Any]:
    """Return the part of the context that the list and the page of one request have in common."""
    return {"kinds": KINDS, "states": STATES, "names": accounts.display_names(locale())}
