"""Short messages by hand, about an appeal, a call or an operator's form (T6)."""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.casework import appeals
from appliance.messaging import notices
from appliance.messaging.notices import manual, templates, texts
from appliance.messaging.notices.manual import Subject
from appliance.people import rights
from appliance.web.appeals import card
from appliance.web.calls import short_messages
from appliance.web.shell import disclosure, formats, numbers, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.sent import document, whole
from appliance.web.status import outbox

if TYPE_CHECKING:
    from appliance.models import Message, SmsTemplate

SUBJECT = "<any(appeal, call, form):about>/<id>"
screen = Blueprint("messages", __name__, url_prefix=f"/messages/{SUBJECT}")


@screen.get("")
@may("desk.work")
def form(about: str, id: str) -> str:
    """The form for a message, as a piece of the operator's page; `template` is chosen in it."""
    subject = _subject(about, id)
    _log_shown(about, id)
    shown = short_messages.shown(about, id, [], subject, request.args.get("template", ""))
    return render_template("messages/form.html", **shown)


@screen.get("/list")
@may("sms.read")
def table(about: str, id: str) -> str:
    """The messages about it, as a piece of the open page."""
    return render_template(
        "messages/list.html", **short_messages.shown(about, id, _sent(about, id))
    )


@screen.post("/preview")
@may("sms.write")
def preview(about: str, id: str) -> Response:
    """A template's text as it is filled, or what would become of a text that is being written."""
    subject = _subject(about, id)
    chosen = _chosen(MultiDict(document()), subject)
    text = str(document().get("sms", ""))
    template = chosen["template"]
    if document().get("fill") and template:
        _log_shown(about, id)
        text = manual.fill(subject, template, chosen["language"])
    seen = manual.preview(site(), subject, text, **chosen)
    late = seen.due_at and _(
        "This number has had its messages of the day: it goes out %(moment)s.",
        moment=formats.moment(seen.due_at),
    )
    return jsonify(
        text=text,
        size=outbox.size(seen.parts, seen.price) if seen.parts else "",
        trouble=str(outbox.TEXT_TROUBLES[seen.trouble]) if seen.trouble else "",
        field="to" if seen.trouble in ("phone", "nobody", "unwanted") else "sms",
        late=late or "",
    )


@screen.post("")
@may("sms.write")
def write(about: str, id: str) -> Response:
    """Send it; from the operator's page as JSON, from a card by its form."""
    subject = _subject(about, id)
    sent = MultiDict(document()) if request.is_json else request.form
    chosen = _chosen(sent, subject)
    text, token = str(sent.get("sms", "")), str(sent.get("sending", ""))
    if not 0 < len(token) <= 64:
        abort(400)
    try:
        message = manual.write(site(), subject, text, by=me().login, token=token, **chosen)
    except texts.TextError as error:
        if request.is_json:
            return jsonify(trouble=str(outbox.TEXT_TROUBLES[error.code]))
        return refusals.back(_page(about, id), error.code, "sms-title")
    done = _when_sent(message)
    if request.is_json:
        return jsonify(trouble="", done=done)
    flash(done)
    return redirect(_page(about, id))


def _when_sent(message: "Message") -> str:
    if message.due_at <= message.created_at:
        return _("It will be sent.")
    return _("It will be sent on %(moment)s.", moment=formats.moment(message.due_at))


def _chosen(sent: MultiDict[str, Any], subject: Subject) -> dict[str, Any]:
    """Number, template and language as they were chosen."""
    language = str(sent.get("language", ""))
    number = whole(str(sent.get("template", "")), 1, 10**9)
    template: SmsTemplate | None = templates.template(number) if number else None
    return {
        "number": numbers.meant(str(sent.get("to", "")), subject.number),
        "template": template,
        "language": language if language in texts.LANGUAGES else texts.LANGUAGES[0],
    }


def _page(about: str, id: str) -> str:
    """The page of a card; of a form, the operator's."""
    match about:
        case "appeal":
            return url_for("appeals.page", number=id)
        case "call":
            return url_for("call.page", call_id=id)
        case _:
            return url_for("operator.page")


def _subject(about: str, id: str) -> Subject:
    """What whoever asks may write about: his own, or anything of a supervisor's; else 403, 404."""
    match about:
        case "appeal":
            appeal = card.loaded(id)
            if not card.may_write(appeal):
                abort(403)
            return manual.of_appeal(site(), appeal)
        case "call":
            call = rights.of_all(me(), "sms.write") and appeals.call_open_to(me(), id)
            return manual.of_call(site(), call or abort(404))
        case _:
            return manual.of_desk(site(), _desk(id))


def _desk(token: str) -> appeals.Desk:
    """The operator's own form, also when it has just been registered; else 404."""
    if me().role != "operator":
        abort(404)
    return appeals.of_form(me(), token) or appeals.of_registered(me(), token) or abort(404)


def _sent(about: str, id: str) -> "list[Message]":
    match about:
        case "appeal":
            return notices.of_appeal(card.loaded(id))
        case "call":
            call = appeals.call_open_to(me(), id) or abort(404)
            its = appeals.visible_of_call(call.id, me())
            return manual.sent_about(call.id, [one for one in its if not one.veiled])
        case _:
            desk = _desk(id)
            call_id = desk.call.id if desk.call else None
            return manual.sent_about(call_id, desk.registered, desk.token)


def _log_shown(about: str, id: str) -> None:
    disclosure.log_shown("draft" if about == "form" else about, [id])
