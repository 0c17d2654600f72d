"""Helpers of the views of the script pages: they read what a request is about."""

from typing import TYPE_CHECKING

from flask import abort, request

from appliance.casework import versions
from appliance.casework.changes import links, requests
from appliance.casework.scripts import comparing, queries
from appliance.web.settings import script_contexts
from appliance.web.shell.context import me
from appliance.web.shell.request_data import parse_count, parse_integer

if TYPE_CHECKING:
    from appliance.models import ChangeRequest, ScriptVersion


def script_or_404(code: str) -> queries.ScriptOverview:
    """Return the script with this code; abort with 404 if there is no such script."""
    return queries.find_script(code) or abort(404)


def draft_or_404(code: str) -> "ScriptVersion":
    """Return the draft of a script; abort with 404 if it has no version that can be edited."""
    row = script_or_404(code).pending_version
    return row if row and row.state in versions.EDITABLE_STATES else abort(404)


def open_request() -> "ChangeRequest | None":
    """Return the open change request that the form names, if any."""
    number = request.form.get("request", 0, parse_count)
    change_request = requests.find_change_request(number, me()) if number else None
    return change_request if change_request and change_request.is_open else None


def import_target() -> tuple[str, int]:
    """Return the code of the script that a text is imported into, and the revision that was shown.

    The code is "" if the text becomes a new script.
    """
    code, _slash, revision = request.form.get("into", "").partition("/")
    return code, parse_integer(revision, 0, 10**9) or 0


def revision_seen() -> int:
    """Return the revision of the draft that the user saw on the page that was submitted.

    A change is refused if the draft has another revision: somebody else has changed it.
    """
    return request.form.get("seen", 0, parse_count)


def link_version_to_request(version: "ScriptVersion", before: "ScriptVersion | None") -> None:
    """Record in a version's change request, if it is open, that the version was put in force.

    `before` is the version that was in force until then; the texts that differ are recorded, too.
    """
    change_request = version.request
    if not change_request or not change_request.is_open:
        return
    new_texts = comparing.texts_by_step(queries.version_definition(version))
    old_texts = comparing.texts_by_step(queries.version_definition(before)) if before else {}
    ref = f"{version.script.code}/{version.number}"
    links.link_change(
        change_request,
        me(),
        "script",
        ref,
        script_contexts.version_title(version),
        old_texts,
        new_texts,
    )
