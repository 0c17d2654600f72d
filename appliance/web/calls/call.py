"""One call: its course, and its recordings for who may hear them and says why."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance.casework import appeals, call_forms
from appliance.casework.scripts import runs
from appliance.core import clock
from appliance.messaging.notices import manual
from appliance.people import accounts, rights
from appliance.reports.telephony import lines
from appliance.telephony import calls, recordings, routing
from appliance.telephony.recordings import marking, sound
from appliance.web.calls import evidence, scripts, short_messages
from appliance.web.calls.of_day import OUTCOMES
from appliance.web.knowledge import reading
from appliance.web.shell import disclosure, refusals
from appliance.web.shell.access import may
from appliance.web.shell.concurrency import heavy
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import CALL_LANGUAGES, DIALLED
from appliance.web.shell.language import locale
from appliance.web.shell.sent import ours
from appliance.web.workplace import number_notes

if TYPE_CHECKING:
    from appliance.models import Call, Recording

screen = Blueprint("call", __name__, url_prefix="/calls/<call_id>")

DIRECTIONS = {"inbound": _l("Call in"), "outbound": _l("Call out"), "internal": _l("Internal call")}
# what became of a call of our own: name, the badge's kind, the icon
OWN_OUTCOMES = {one.code: (lazy_gettext(one.name), one.tone, one.icon) for one in calls.OUTBOUND}
ENDED_BY = {
    "caller": _l("by the citizen"),
    "operator": _l("by our side"),
    "system": _l("by the line"),
}
_TYPES = {".wav": "audio/wav", ".ogg": "audio/ogg"}


@dataclass(frozen=True)
class Heard:
    """One recording as the page draws it: `drawing` is an SVG path 200 wide and 40 high."""

    number: int
    recording: "Recording"
    drawing: str
    is_there: bool


@screen.get("")
@may("recording.listen")
def page(call_id: str) -> str:
    """The call's card; whoever sees it is written down."""
    call = _call(call_id)
    disclosure.log_shown("call", [call.id])
    about = appeals.visible_of_call(call.id, me())
    outcomes = OUTCOMES if call.direction == "inbound" else OWN_OUTCOMES
    return render_template(
        "call/page.html",
        call=call,
        outcome=outcomes.get(call.outcome or "open", OUTCOMES["open"]),
        direction=DIRECTIONS[call.direction],
        ended_by=ENDED_BY.get(call.ended_by or ""),
        language=CALL_LANGUAGES.get(call.language or ""),
        topics=dict(lines.names("topic", locale())),
        steps=calls.course(call),
        followed=scripts.shown(runs.of_call(call.id)),
        queue_name=lambda name: routing.queue_title(name, _),
        dialled=DIALLED,
        names=accounts.names(locale()),
        appeals=about,
        registered=call_forms.visible_of_call(call.id, me()),
        opened_articles=reading.shown_at(call.id),
        **short_messages.shown(
            "call",
            call.id,
            manual.sent_about(call.id, [one for one in about if not one.veiled]),
            manual.of_call(site(), call) if _leads("sms.write") and site().sms else None,
        ),
        **recorded(call),
        **evidence.shown(call_id=call.id),
        **number_notes.shown(call.citizen if _leads("note.change") else None),
        note_trouble=number_notes.TROUBLES.get(refusals.latest().trouble),
    )


@screen.post("/listen")
@may("recording.listen")
def listen(call_id: str) -> BaseResponse:
    """A reason is given: the recordings can be heard from now on."""
    call = _call(call_id)
    there = ours(request.form.get("back", "")) or url_for("call.page", call_id=call.id)
    try:
        recordings.begin(me(), call.id, request.form.get("reason", ""))
    except recordings.NoReason:
        return refusals.back(there, "reason", "recordings")
    return redirect(f"{there}#recordings")


@screen.get("/recordings/<int:number>")
@may("recording.listen")
def recording(call_id: str, number: int) -> Response:
    """A recording's sound, whole or in part (byte ranges); only with a reason given before."""
    call = _call(call_id)
    if not recordings.reason_of(me(), call.id):
        abort(403)
    found = recordings.of_call(call.id)
    if not 1 <= number <= len(found) or not (file := _file(found[number - 1])).is_file():
        abort(404)
    return send_file(file, mimetype=_TYPES.get(file.suffix), conditional=True, max_age=0)


@screen.get("/recordings/<int:number>/file")
@may("recording.listen")
@heavy
def taken(call_id: str, number: int) -> Response:
    """A recording to be taken away; it says in itself by whom, when and why."""
    call, now = _call(call_id), clock.now()
    found = recordings.of_call(call.id)
    if not recordings.reason_of(me(), call.id):
        abort(403)
    if not 1 <= number <= len(found) or not (file := _file(found[number - 1])).is_file():
        abort(404)
    why = recordings.take(me(), call.id, file.name) or abort(403)
    try:
        body = marking.marked(file, me().login, now, site().tz, call.id, why)
    except marking.Unmarkable:
        abort(404)
    name = f"{call.id}-{number}{file.suffix}"
    return Response(
        body,
        mimetype=_TYPES.get(file.suffix),
        headers={"Content-Disposition": f'attachment; filename="{name}"'},
    )


def recorded(call: "Call") -> dict[str, object]:
    """What call/recordings.html shows: the parts, the reason given, whether one is missing."""
    return {
        "parts": [
            _recording_view(number, one)
            for number, one in enumerate(recordings.of_call(call.id), 1)
        ],
        "reason": recordings.reason_of(me(), call.id),
        "unreasoned": refusals.latest().address.endswith("/listen"),
    }


def _leads(action: str) -> bool:
    return rights.of_all(me(), action)


def _call(call_id: str) -> "Call":
    if not recordings.may_listen(me()):
        abort(403)
    return appeals.call_open_to(me(), call_id) or abort(404)


def _recording_view(number: int, one: "Recording") -> Heard:
    drawing = "".join(
        f"M{position + 0.5} {20 - 19 * height:.1f}v{38 * height:.1f}"
        for position, height in enumerate(max(sound.level(c), 0.02) for c in one.peaks or "")
    )
    return Heard(number, one, drawing, _file(one).is_file())


def _file(one: "Recording") -> Path:
    return site().paths.recordings / (one.kept or one.file)
