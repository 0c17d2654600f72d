"""Citizens' requests about their own data: what is stored, correct it, mask it."""

import datetime as dt
from typing import TYPE_CHECKING, Any

from flask import Blueprint, Response, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.box import retention
from appliance.casework import catalogs, data_requests
from appliance.casework.data_requests import RequestError
from appliance.core import audit
from appliance.messaging import notices
from appliance.people import accounts
from appliance.reports import data_request as paper
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site, today
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import DataRequest

screen = Blueprint("data_requests", __name__, url_prefix="/data-requests")

KINDS: dict[str, LazyString] = {
    "tell": _l("What is stored about me"),
    "correct": _l("Correct my data"),
    "mask": _l("Mask my data"),
}
# state: its name, the badge's kind, the icon
STATES: dict[str, tuple[LazyString, str, str]] = {
    "open": (_l("To be answered"), "accent", "hourglass"),
    "done": (_l("Answered"), "ok", "circle-check"),
    "refused": (_l("Refused"), "", "octagon-alert"),
}
TROUBLES: dict[str, LazyString] = {
    "kind": _l("Choose what is asked for."),
    "person": _l("Write who asks."),
    "phone": _l("Write his phone, or the number of an appeal of his that is registered here."),
    "proof": _l("Write how you saw that it is he."),
    "what": _l("Write what is to be corrected."),
    "answer": _l("Write the answer: what was corrected, or why it is refused."),
    "records": _l("Tick what is his."),
    "closed": _l("A personal appeal is among it: open it on its page for a reason first."),
    "changed": _l("The request is answered already."),
    "open": _l("An appeal among it is not closed yet: it can be masked once it is."),
    "held": _l("An appeal among it is protected from removal: see Retention."),
}
SENT = ("kind", "person", "phone", "number", "proof", "language", "what")


@screen.get("")
@may("data_request.answer")
def page() -> str:
    """Every request, the most urgent first, and the form of a new one."""
    was, requests = refusals.latest(), data_requests.listed(me())
    disclosure.log_shown("data_request", [one.id for one in requests])
    return render_template(
        "data_requests/page.html",
        **_words(),
        lines=[(one, _left(one)) for one in requests],
        sent=was.values,
        trouble=TROUBLES.get(was.trouble),
        languages_spoken=CALL_LANGUAGES,
        days=data_requests.TERM.days,
    )


@screen.post("")
@may("data_request.answer")
def ask() -> BaseResponse:
    """Write a request down; its term runs from now."""
    sent = {name: request.form.get(name, "") for name in SENT}
    try:
        made = data_requests.ask(me(), sent, catalogs.working_calendar(site()))
    except RequestError as error:
        return refusals.back(url_for(".page"), error.code, "new")
    return redirect(url_for(".one", number=made.id))


@screen.get("/<int:number>")
@may("data_request.answer")
def one(number: int) -> str:
    """A request: what is stored that may be his, and the answer."""
    asked, was = _request(number), refusals.latest()
    stored = data_requests.stored(asked, me()) if asked.state == "open" else None
    disclosure.log_shown("data_request", [asked.id])
    if stored:
        disclosure.log_shown("appeal", [appeal.number for appeal in stored.appeals])
        disclosure.log_shown("call_form", [made.number for made in stored.call_forms])
        disclosure.log_shown("message", [message.id for message in stored.messages])
        disclosure.log_shown("call", [call.id for call in stored.calls])
    return render_template(
        "data_requests/one.html",
        **_words(),
        asked=asked,
        left=_left(asked),
        stored=stored,
        ticked=was.values.getlist("record"),
        typed=was.values.get("answer", ""),
        trouble=TROUBLES.get(was.trouble),
        hinders=was.values.get("hinders", ""),
        papers=paper.LOCALES,
    )


@screen.post("/<int:number>/answer")
@may("data_request.answer")
def answer(number: int) -> BaseResponse:
    """Answer it (`do`: done or refused) for the ticked records; the citizen is told."""
    asked, form = _request(number), request.form
    state, text, ticked = form.get("do", ""), form.get("answer", ""), form.getlist("record")
    if state not in ("done", "refused"):
        abort(400)
    try:
        if state == "done" and asked.kind == "mask":
            retention.mask(site(), asked, me(), ticked, text)
        else:
            notices.answer_own_data(site(), asked, me(), state, text, ticked)
    except RequestError as error:
        return refusals.back(
            url_for(".one", number=number), error.code, "answer", hinders=error.number
        )
    flash(_("Answered."))
    return redirect(url_for(".one", number=number))


@screen.get("/<int:number>/<any(uz, ru):language>.pdf")
@may("data_request.answer")
@heavy
def answered(number: int, language: str) -> Response:
    """The answer on paper; that it was taken is written down."""
    asked = _request(number)
    if asked.state == "open":
        abort(404)
    try:
        printed = paper.write(site(), asked, me(), language)
    except RequestError:
        abort(403)
    audit.record(me().login, "data_request.download", str(asked.id), language=language)
    name = f"javob-{asked.id}-{language}.pdf"
    return Response(
        printed,
        mimetype="application/pdf",
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _request(number: int) -> "DataRequest":
    return data_requests.find(number, me()) or abort(404)


def _left(asked: "DataRequest") -> tuple[str, str]:
    """How long the term still runs, and the kind of its badge; nothing once it is answered."""
    if asked.state != "open":
        return "", ""
    left = (asked.due_on - today()).days
    if left < 0:
        return _("Overdue: %(count)s", count=-left), "bad"
    near = left <= data_requests.NEAR // dt.timedelta(days=1)
    return _("Days left: %(count)s", count=left), "warn" if near else ""


def _words() -> dict[str, Any]:
    return {"kinds": KINDS, "states": STATES, "names": accounts.names(locale())}
