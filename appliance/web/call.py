"""One call: its course, and its recordings for who may hear them and says why."""

from dataclasses import dataclass
from pathlib import Path

from flask import Blueprint, Response, abort, redirect, render_template, request, send_file, url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response as BaseResponse

from appliance import appeals, audit, calls, recordings
from appliance.models import Appeal, Call, Recording, User
from appliance.recordings import sound
from appliance.web.access import may
from appliance.web.calls import LANGUAGES, OUTCOMES
from appliance.web.context import me, site

screen = Blueprint("call", __name__, url_prefix="/calls/<call_id>")

DIRECTIONS = {"inbound": _l("Call in"), "outbound": _l("Call out"), "internal": _l("Internal call")}
# what became of a call of our own: name, the badge's kind, the icon
OWN_OUTCOMES = {
    "answered": OUTCOMES["answered"],
    "busy": (_l("Busy"), "warn", "phone-off"),
    "no_answer": (_l("No answer"), "warn", "phone-missed"),
    "failed": OUTCOMES["failed"],
}
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
    recording: Recording
    drawing: str
    is_there: bool


@screen.get("")
@may("supervisor", "manager", "ministry")
def page(call_id: str) -> str:
    """The call's card; whoever sees it is written down."""
    return _page(_call(call_id))


@screen.post("/listen")
@may("supervisor", "manager", "ministry")
def listen(call_id: str) -> BaseResponse | str | tuple[str, int]:
    """A reason is given: the recordings can be heard from now on."""
    call = _call(call_id)
    try:
        recordings.begin(me(), call.id, request.form.get("reason", ""))
    except recordings.NoReason:
        return _page(call, _("Say why you listen.")), 422
    return redirect(url_for("call.page", call_id=call.id, _anchor="recordings"))


@screen.get("/recordings/<int:number>")
@may("supervisor", "manager", "ministry")
def recording(call_id: str, number: int) -> Response:
    """A recording's sound, whole or in part (byte ranges); only with a reason given before."""
    call = _call(call_id)
    if not recordings.reason_of(me(), call.id):
        abort(403)
    found = recordings.of_call(call.id)
    if not 1 <= number <= len(found) or not (file := _file(found[number - 1])).is_file():
        abort(404)
    return send_file(file, mimetype=_TYPES.get(file.suffix), conditional=True, max_age=0)


def open_to(user: User, ids: list[str]) -> set[str]:
    """Those of some calls whose cards a user may open."""
    if not recordings.may_listen(user):
        return set()
    if user.role != "ministry":
        return set(ids)
    # A call without an appeal of theirs is no business of the ministry's.
    theirs = appeals.visible_to(user).where(Appeal.call_id.in_(ids))
    return {appeal.call_id for appeal in theirs}


def _call(call_id: str) -> Call:
    if not recordings.may_listen(me()):
        abort(403)
    if call_id not in open_to(me(), [call_id]):
        abort(404)
    return Call.get_or_none(Call.id == call_id) or abort(404)


def _page(call: Call, trouble: str = "") -> str:
    audit.record(me().login, "call.view", call.id)
    outcomes = OUTCOMES if call.direction == "inbound" else OWN_OUTCOMES
    return render_template(
        "call/page.html",
        call=call,
        outcome=outcomes.get(call.outcome or "open", OUTCOMES["open"]),
        direction=DIRECTIONS[call.direction],
        ended_by=ENDED_BY.get(call.ended_by or ""),
        language=LANGUAGES.get(call.language or ""),
        steps=calls.course(call),
        names={user.login: user.name for user in User.select()},
        appeals=list(Appeal.select(Appeal.number).where(Appeal.call_id == call.id)),
        parts=[_heard(number, one) for number, one in enumerate(recordings.of_call(call.id), 1)],
        reason=recordings.reason_of(me(), call.id),
        trouble=trouble,
    )


def _heard(number: int, one: Recording) -> Heard:
    drawing = "".join(
        f"M{position + 0.5} {20 - 19 * height:.1f}v{38 * height:.1f}"
        for position, height in enumerate(max(sound.level(c), 0.02) for c in one.peaks or "")
    )
    return Heard(number, one, drawing, _file(one).is_file())


def _file(one: Recording) -> Path:
    return site().paths.recordings / (one.kept or one.file)
