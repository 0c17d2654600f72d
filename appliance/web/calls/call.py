"""One call: its course, and its recordings for users who may listen and have given a reason."""

from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import call_forms
from appliance.casework.appeals import queries
from appliance.casework.scripts import runs
from appliance.core import clock
from appliance.messaging.notices import manual
from appliance.people import accounts, rights
from appliance.reports import call_filters
from appliance.telephony import calls, recordings, routing
from appliance.telephony.recordings import marking
from appliance.web.shared import articles, evidence, followed_scripts, messages, number_notes
from appliance.web.shared.recordings import recording_file, recordings_context
from appliance.web.shared.telephony_labels import OUTBOUND_OUTCOMES, OUTCOMES
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import long_running
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES, DIAL_STATUS_NAMES
from appliance.web.shell.language import locale
from appliance.web.shell.request_data import local_address

if TYPE_CHECKING:
    from appliance.models import Call

screen = Blueprint("call", __name__, url_prefix="/calls/<call_id>")

DIRECTIONS = {
    "inbound": _l("Incoming call"),
    "outbound": _l("Outgoing call"),
    "internal": _l("Internal call"),
}
ENDED_BY = {
    "caller": _l("by the citizen"),
    "operator": _l("by our side"),
    "system": _l("by the line"),
}
_MIME_TYPES = {".wav": "audio/wav", ".ogg": "audio/ogg"}


@screen.get("")
@may("recording.listen")
def show_call(call_id: str) -> str:
    """Show the page of a call; that it was shown is recorded in the audit."""
    call = _listenable_call(call_id)
    disclosure.log_shown("call", [call.id])
    call_appeals = queries.visible_appeals_of_call(call.id, me())
    outcomes = OUTCOMES if call.direction == "inbound" else OUTBOUND_OUTCOMES
    return render_template(
        "call/page.html",
        call=call,
        outcome=outcomes.get(call.outcome or "open", OUTCOMES["open"]),
        direction=DIRECTIONS[call.direction],
        ended_by=ENDED_BY.get(call.ended_by or ""),
        language=CALL_LANGUAGES.get(call.language or ""),
        topics=dict(call_filters.dimension_names("topic", locale())),
        steps=calls.call_steps(call),
        followed=followed_scripts.followed_scripts(runs.runs_of_call(call.id)),
        queue_name=lambda name: routing.queue_title(name, _),
        dialled=DIAL_STATUS_NAMES,
        names=accounts.display_names(locale()),
        appeals=call_appeals,
        registered=call_forms.visible_forms_of_call(call.id, me()),
        opened_articles=articles.article_openings(call.id),
        **messages.messages_context(
            "call",
            call.id,
            manual.messages_about(
                call.id, [appeal for appeal in call_appeals if not appeal.veiled]
            ),
            manual.call_subject(site(), call)
            if _has_full_right("sms.write") and site().sms
            else None,
        ),
        **recordings_context(call),
        **evidence.pack_panel_context(call_id=call.id),
        **number_notes.notes_context(call.citizen if _has_full_right("note.change") else None),
        note_trouble=number_notes.TROUBLES.get(refusals.latest_refusal().trouble),
    )


@screen.post("/listen")
@may("recording.listen")
def give_listening_reason(call_id: str) -> BaseResponse:
    """Store the user's reason; with it they may listen to the recordings of this call.

    If the reason is missing, the page says so.
    """
    call = _listenable_call(call_id)
    return_url = local_address(request.form.get("back", "")) or url_for(
        "call.show_call", call_id=call.id
    )
    try:
        recordings.begin_listening(me(), call.id, request.form.get("reason", ""))
    except recordings.MissingReason:
        return refusals.redirect_back(return_url, "reason", "recordings")
    return redirect(f"{return_url}#recordings")


@screen.get("/recordings/<int:number>")
@may("recording.listen")
def play_recording(call_id: str, number: int) -> Response:
    """Send a recording's sound, whole or in byte ranges.

    `number` counts the call's recordings from 1. Aborts with 403 if the user has not given a
    reason, and with 404 if there is no such recording or file.
    """
    call = _listenable_call(call_id)
    if not recordings.current_reason(me(), call.id):
        abort(403)
    call_recordings = recordings.files_of_call(call.id)
    if (
        not 1 <= number <= len(call_recordings)
        or not (file := recording_file(call_recordings[number - 1])).is_file()
    ):
        abort(404)
    return send_file(file, mimetype=_MIME_TYPES.get(file.suffix), conditional=True, max_age=0)


@screen.get("/recordings/<int:number>/file")
@may("recording.listen")
@long_running
def download_recording(call_id: str, number: int) -> Response:
    """Send a recording as a download; the file states who downloaded it, when and why.

    `number` counts the call's recordings from 1. Aborts with 403 if the user has not given a
    reason, and with 404 if there is no such recording or file.
    """
    call, now = _listenable_call(call_id), clock.now()
    call_recordings = recordings.files_of_call(call.id)
    if not recordings.current_reason(me(), call.id):
        abort(403)
    if (
        not 1 <= number <= len(call_recordings)
        or not (file := recording_file(call_recordings[number - 1])).is_file()
    ):
        abort(404)
    reason = recordings.record_download(me(), call.id, file.name) or abort(403)
    try:
        body = marking.mark_recording(file, me().login, now, site().tz, call.id, reason)
    except marking.MarkingError:
        abort(404)
    name = f"{call.id}-{number}{file.suffix}"
    return Response(
        body,
        mimetype=_MIME_TYPES.get(file.suffix),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def _has_full_right(action: str) -> bool:
    """Return True if the user has the right `action` for all calls, not only for their own."""
    return rights.has_full_scope(me(), action)


def _listenable_call(call_id: str) -> "Call":
    """Return a call whose page and recordings the user may open, if they give a reason.

    Aborts with 403 if they may not listen to recordings at all, and with 404 if there is no such
    call or they may not see it.
    """
    if not recordings.can_listen(me()):
        abort(403)
    return queries.viewable_call(me(), call_id) or abort(404)
