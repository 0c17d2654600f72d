"""Change requests: the ministry writes them, the manager and the technician carry them out."""

import io
from typing import TYPE_CHECKING, Any

from flask import (
    Blueprint,
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

from appliance.casework import catalogs
from appliance.casework.changes import files, links, states, terms
from appliance.casework.changes.requests import (
    completion_times,
    count_requests,
    create_change_request,
    find_change_request,
    list_change_requests,
    list_request_steps,
    open_requests,
    perform_request_action,
    requests_awaiting_approval,
)
from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.people import accounts, rights
from appliance.web.settings import change_labels
from appliance.web.shell import refusals
from appliance.web.shell.access import current_role, may
from appliance.web.shell.context import me, site
from appliance.web.shell.request_data import parse_count
from appliance.web.shell.size_limits import accepts_file, file_size

if TYPE_CHECKING:
    from appliance.models import ChangeRequest

screen = Blueprint("changes", __name__, url_prefix="/changes")

# As much as nginx accepts, so that the page itself can explain why files are too large.
MAX_REQUEST_BYTES = 40 * 1024 * 1024
LIST_FILTERS = {
    "open": open_requests,
    "done": requests_awaiting_approval,
    "all": list_change_requests,
}


@screen.get("")
@may("change.read")
def show_requests() -> str:
    """Show the requests that are still to be done.

    With `show=done`, those that await the ministry's approval are shown; with `show=all`, all.
    """
    return render_template("changes/page.html", **_list_context())


@screen.get("/list")
@may("change.read")
def show_request_list() -> str:
    """Show the list of requests, as a fragment of the open page."""
    return render_template("changes/list.html", **_list_context())


@screen.get("/new")
@may("change.ask")
def show_new_request() -> str:
    """Show the form for a new request."""
    refusal = refusals.latest_refusal()
    return render_template(
        "changes/new.html",
        largest=files.MAX_FILE_BYTES,
        kinds=change_labels.KINDS,
        terms=terms.CHANGE_KINDS,
        typed=refusal.values,
        trouble=change_labels.TROUBLES.get(refusal.trouble),
    )


@screen.post("")
@accepts_file(MAX_REQUEST_BYTES, max_file_bytes=files.MAX_FILE_BYTES)
@may("change.ask")
def create_request() -> Response:
    """Store a new request; the time allowed to carry it out starts now."""
    form_data = request.form
    kind, what, why = (form_data.get(name, "") for name in ("kind", "what", "why"))
    calendar = catalogs.working_calendar(site())
    try:
        change_request = create_change_request(me(), kind, what, why, calendar, _uploaded_files())
    except Refused as error:
        return refusals.redirect_back(url_for(".show_new_request"), error.code)
    flash(_("Request no. %(number)s was registered.", number=change_request.id))
    return redirect(url_for(".show_request", number=change_request.id))


@screen.get("/<int:number>")
@may("change.read")
def show_request(number: int) -> str:
    """Show one request: its text, its files, the steps taken and the changes made for it."""
    change_request, refusal = _change_request_or_404(number), refusals.latest_refusal()
    return render_template(
        "changes/one.html",
        largest=files.MAX_FILE_BYTES,
        typed=refusal.values,
        trouble=change_labels.TROUBLES.get(refusal.trouble),
        **_request_page_context(change_request),
    )


@screen.get("/<int:number>/<any(standing, done):section>")
@may("change.read")
def show_request_section(number: int, section: str) -> str:
    """Show a section of a request's page as a fragment.

    It is its state ("standing"), or its steps and the changes made for it ("done").
    """
    return render_template(
        f"changes/{section}.html", **_request_page_context(_change_request_or_404(number))
    )


@screen.post("/<int:number>/steps")
@accepts_file(MAX_REQUEST_BYTES, max_file_bytes=files.MAX_FILE_BYTES)
@may("change.read")
def perform_action(number: int) -> Response:
    """Perform the chosen `action`; if it is refused, show the page with the reason and the text.

    `version` in the form is the version of the request that the user saw: the action is refused if
    somebody else has changed the request since then. Aborts with 400 for an unknown action.
    """
    change_request, form_data = _change_request_or_404(number), request.form
    action, version = form_data.get("action", ""), form_data.get("version", 0, parse_count)
    try:
        perform_request_action(
            action, change_request, me(), version, form_data.get("text", ""), _uploaded_files()
        )
    except Refused as error:
        if error.code == "action":
            abort(400)
        return refusals.redirect_back(url_for(".show_request", number=number), error.code, "todo")
    flash(_("Done: %(what)s", what=change_labels.STEP_LABELS[action][0]))
    return redirect(url_for(".show_request", number=number))


@screen.get("/<int:number>/files/<int:id>")
@may("change.read")
def download_file(number: int, id: int) -> Response:
    """Send an attached file unchanged, as a download: browsers do not display it."""
    attachment = files.find_file(_change_request_or_404(number), id) or abort(404)
    return send_file(
        io.BytesIO(attachment.content),
        mimetype="application/octet-stream",
        as_attachment=True,
        download_name=attachment.name,
    )


def link_to_request(
    kind: str, ref: str, title: str, before: links.Fields, after: links.Fields
) -> None:
    """Record a change that was just made in the change request that the submitted form names.

    `kind`, `ref` and `title` are the kind, id and title of the changed object, `before` and `after`
    its fields (see links.link_change). Nothing is recorded if no field differs, or if the form
    names no request. If the request is already done, only a message says so.
    """
    number = request.form.get("request", 0, parse_count)
    change_request = find_change_request(number, me()) if number else None
    if change_request and change_request.is_open:
        links.link_change(change_request, me(), kind, ref, title, before, after)
    elif change_request:
        flash(
            _(
                "Request no. %(number)s is already done: the change was not noted in it.",
                number=number,
            )
        )


@screen.app_template_global("open_requests")
def _open_requests() -> "list[ChangeRequest]":
    """Return the open requests if the user may carry them out, or else []; read once per page.

    Forms that change settings offer them, so that a change can be recorded in its request.
    """
    if "open_requests" not in g:
        g.open_requests = (
            open_requests() if current_role() in rights.allowed_roles("change.do") else []
        )
    change_requests: list[ChangeRequest] = g.open_requests
    return change_requests


def _change_request_or_404(number: int) -> "ChangeRequest":
    """Return the request with this number if the user may see it; abort with 404 otherwise."""
    return find_change_request(number, me()) or abort(404)


def _uploaded_files() -> list[files.UploadedFile]:
    """Return the files that were uploaded with the form; inputs left empty are skipped."""
    uploads = (upload for upload in request.files.getlist("files") if upload.filename)
    return [
        files.UploadedFile(upload.filename or "", file_size(upload), upload.read)
        for upload in uploads
    ]


def _label_context() -> dict[str, Any]:
    """Return the template context that all pages of requests share: labels and users' names."""
    return {
        "words": change_labels,
        "states": change_labels.STATES,
        "kinds": change_labels.KINDS,
        "names": accounts.display_names(),
        "may_ask": rights.has_right(me(), "change.ask"),
    }


def _list_context() -> dict[str, Any]:
    """Return the template context of the list: the requests that `show` selects, and the counts.

    `lines` has (request, how near its deadline is); `waiting` counts those that await approval.
    """
    show = request.args.get("show", "")
    show = show if show in LIST_FILTERS else "open"
    requests, now = LIST_FILTERS[show](), clock.now()
    calendar, finished_at = catalogs.working_calendar(site()), completion_times(requests)
    lines = [
        (
            change_request,
            change_labels.deadline_nearness(
                change_request, finished_at.get(change_request.id), now, calendar
            ),
        )
        for change_request in requests
    ]
    counts = count_requests(calendar)
    return _label_context() | {
        "show": show,
        "lines": lines,
        "counts": counts,
        "waiting": len(requests_awaiting_approval()),
    }


def _request_page_context(change_request: "ChangeRequest") -> dict[str, Any]:
    """Return the template context of the page of one request.

    `done_at` is when the work was done, if it is done; `todo` has the texts of the buttons of the
    actions that the user may perform now, by action.
    """
    calendar = catalogs.working_calendar(site())
    done_at = completion_times([change_request]).get(change_request.id)
    return _label_context() | {
        "asked": change_request,
        "near": change_labels.deadline_nearness(change_request, done_at, clock.now(), calendar),
        "done_at": done_at,
        "steps": list_request_steps(change_request),
        "done": change_labels.STEP_LABELS,
        "files": files.files_of_request(change_request),
        "links": links.links_of_request(change_request),
        "todo": {
            action: change_labels.BUTTONS[action]
            for action in states.WORKFLOW.possible_actions(change_request.state, me().role)
        },
    }
