"""Change requests: the ministry writes them, the manager and the technician see to them."""

import io
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
    Flask,
    abort,
    flash,
    g,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from appliance.casework import catalogs, changes
from appliance.casework.changes import files, links, states, terms
from appliance.core import clock
from appliance.people import accounts, rights
from appliance.web.settings import change_words
from appliance.web.shell import refusals
from appliance.web.shell.access import may, role
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import bounded
from appliance.web.shell.sizes import size_of, takes_file

if TYPE_CHECKING:
    from appliance.models import ChangeRequest

screen = Blueprint("changes", __name__, url_prefix="/changes")

LARGEST = 40 * 1024 * 1024  # as much as nginx lets in: what is too large is refused with its words
SHOWN = {"open": changes.opened, "done": changes.waiting, "all": changes.listed}


def init_app(app: Flask) -> None:
    """Give templates `open_requests()`, which a change can be made for."""
    app.jinja_env.globals["open_requests"] = _open_requests


@screen.get("")
@may("change.read")
def page() -> str:
    """Requests whose change is owed, or (`show=done`, `all`) that wait for the ministry, or all."""
    return render_template("changes/page.html", **_list())


@screen.get("/list")
@may("change.read")
def table() -> str:
    """The list, as a piece of the open page."""
    return render_template("changes/list.html", **_list())


@screen.get("/new")
@may("change.ask")
def new() -> str:
    """A request to be written."""
    was = refusals.latest()
    return render_template(
        "changes/new.html",
        largest=changes.LARGEST,
        kinds=change_words.KINDS,
        terms=terms.ALL,
        typed=was.values,
        trouble=change_words.TROUBLES.get(was.trouble),
    )


@screen.post("")
@takes_file(LARGEST, largest_file=changes.LARGEST)
@may("change.ask")
def ask() -> Response:
    """Write a request down; its term runs from now."""
    sent = request.form
    kind, what, why = (sent.get(name, "") for name in ("kind", "what", "why"))
    calendar = catalogs.working_calendar(site())
    try:
        made = changes.ask(me(), kind, what, why, calendar, _files())
    except changes.ChangeError as error:
        return refusals.back(url_for(".new"), error.code)
    flash(_("Request no. %(number)s is written down.", number=made.id))
    return redirect(url_for(".one", number=made.id))


@screen.get("/<int:number>")
@may("change.read")
def one(number: int) -> str:
    """One request: what is asked, its files, what was done and changed."""
    asked, was = _request(number), refusals.latest()
    return render_template(
        "changes/one.html",
        largest=changes.LARGEST,
        typed=was.values,
        trouble=change_words.TROUBLES.get(was.trouble),
        **_card(asked),
    )


@screen.get("/<int:number>/<any(standing, done):piece>")
@may("change.read")
def part(number: int, piece: str) -> str:
    """Where it stands, or what was done and changed, as a piece of the open page."""
    return render_template(f"changes/{piece}.html", **_card(_request(number)))


@screen.post("/<int:number>/steps")
@takes_file(LARGEST, largest_file=changes.LARGEST)
@may("change.read")
def step(number: int) -> Response:
    """Do what was chosen; refused, the page comes again with why, and the text stays."""
    asked, sent = _request(number), request.form
    action, version = sent.get("action", ""), sent.get("version", 0, bounded)
    try:
        changes.do(action, asked, me(), version, sent.get("text", ""), _files())
    except changes.ChangeError as error:
        if error.code == "action":
            abort(400)
        return refusals.back(url_for(".one", number=number), error.code, "todo")
    flash(_("Done: %(what)s", what=change_words.DONE[action][0]))
    return redirect(url_for(".one", number=number))


@screen.get("/<int:number>/files/<int:id>")
@may("change.read")
def file(number: int, id: int) -> Response:
    """A file as it came, to be saved: no browser is asked to show it."""
    found = files.found(_request(number), id) or abort(404)
    return send_file(
        io.BytesIO(found.content),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=found.name,
    )


def link(kind: str, ref: str, title: str, before: links.Fields, after: links.Fields) -> None:
    """Write down at the request that the form names, if it does, what was just changed for it."""
    number = request.form.get("request", 0, bounded)
    asked = changes.find(number, me()) if number else None
    if asked and asked.is_open:
        changes.link(asked, me(), kind, ref, title, before, after)
    elif asked:
        flash(
            _(
                "Request no. %(number)s is done already: the change is not noted there.",
                number=number,
            )
        )


def _open_requests() -> "list[ChangeRequest]":
    """The requests that whoever asks can make a change for; read once for a page."""
    if "open_requests" not in g:
        g.open_requests = changes.opened() if role() in rights.roles("change.do") else []
    return g.open_requests


def _request(number: int) -> "ChangeRequest":
    return changes.find(number, me()) or abort(404)


def _files() -> list[changes.Sent]:
    sent = (one for one in request.files.getlist("files") if one.filename)
    return [changes.Sent(one.filename or "", size_of(one), one.read) for one in sent]


def _words() -> dict[str, Any]:
    return {
        "words": change_words,
        "states": change_words.STATES,
        "kinds": change_words.KINDS,
        "names": accounts.names(),
        "may_ask": rights.has(me(), "change.ask"),
    }


def _list() -> dict[str, Any]:
    show = request.args.get("show", "")
    show = show if show in SHOWN else "open"
    found, now = SHOWN[show](), clock.now()
    calendar, done = catalogs.working_calendar(site()), changes.finished(found)
    lines = [
        (asked, change_words.nearness(asked, done.get(asked.id), now, calendar)) for asked in found
    ]
    counts = changes.counts(calendar)
    return _words() | {
        "show": show,
        "lines": lines,
        "counts": counts,
        "waiting": len(changes.waiting()),
    }


def _card(asked: "ChangeRequest") -> dict[str, Any]:
    calendar = catalogs.working_calendar(site())
    done_at = changes.finished([asked]).get(asked.id)
    return _words() | {
        "asked": asked,
        "near": change_words.nearness(asked, done_at, clock.now(), calendar),
        "done_at": done_at,
        "steps": changes.steps(asked),
        "done": change_words.DONE,
        "files": files.of_request(asked),
        "links": links.of_request(asked),
        "todo": {
            action: change_words.BUTTONS[action]
            for action in states.possible(asked.state, me().role)
        },
    }
