"""SMS written by hand, about a subject: an appeal, a call or an operator's form.

In the addresses, `about` is the kind of the subject, and `id` its number, id or token.
"""

from typing import TYPE_CHECKING, Any

from flask import Blueprint, abort, flash, jsonify, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response

from appliance.casework.appeals import queries
from appliance.casework.appeals.desk import OperatorDesk
from appliance.core.refusals import Refused
from appliance.messaging.notices import citizens, manual, templates, texts
from appliance.messaging.notices.manual import Subject
from appliance.people import rights
from appliance.web.shared import appeal_access, message_labels
from appliance.web.shared.messages import messages_context
from appliance.web.shared.operator_forms import own_desk
from appliance.web.shell import disclosure, formats, number_masks, refusals
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.request_data import parse_integer, require_json_object

if TYPE_CHECKING:
    from appliance.models import Message, SmsTemplate

SUBJECT = "<any(appeal, call, form):about>/<id>"
screen = Blueprint("messages", __name__, url_prefix=f"/messages/{SUBJECT}")


@screen.get("")
@may("desk.work")
def show_message_form(about: str, id: str) -> str:
    """Show the form for a message as a fragment of the open page.

    The template whose id is the parameter `template` is selected in it.
    """
    subject = _writable_subject(about, id)
    _log_disclosure(about, id)
    context = messages_context(about, id, [], subject, request.args.get("template", ""))
    return render_template("messages/form.html", **context)


@screen.get("/list")
@may("sms.read")
def show_message_list(about: str, id: str) -> str:
    """Show the messages about the subject, as a fragment of the open page."""
    return render_template(
        "messages/list.html",
        **messages_context(about, id, _subject_messages(about, id)),
    )


@screen.post("/preview")
@may("sms.write")
def preview_message(about: str, id: str) -> Response:
    """Return a text as it would be sent, with its size and why it is refused, as JSON.

    If `fill` is set in the request, the text is made from the selected template. In the response,
    `field` is the input that a refusal is about, the number or the text; `late` says when the
    message will be sent if it is delayed, and is "" otherwise.
    """
    subject = _writable_subject(about, id)
    options = _selected_options(MultiDict(require_json_object()), subject)
    text = str(require_json_object().get("sms", ""))
    template = options["template"]
    if require_json_object().get("fill") and template:
        _log_disclosure(about, id)
        text = manual.fill_template(subject, template, options["language"])
    result = manual.preview_message(site(), subject, text, **options)
    delay_notice = result.due_at and _(
        "This number has reached its daily limit of messages: the message is sent %(moment)s.",
        moment=formats.moment(result.due_at),
    )
    return jsonify(
        text=text,
        size=message_labels.size_text(result.parts, result.price) if result.parts else "",
        trouble=str(message_labels.TEXT_TROUBLES[result.trouble]) if result.trouble else "",
        field="to" if result.trouble in ("phone", "nobody", "unwanted") else "sms",
        late=delay_notice or "",
    )


@screen.post("")
@may("sms.write")
def send_message(about: str, id: str) -> Response:
    """Queue the message to be sent; the request is JSON from the operator's page, or a form.

    `sending` in the request is a random text made with the page: the same message with the same
    `sending` is queued only once.
    """
    subject = _writable_subject(about, id)
    body = MultiDict(require_json_object()) if request.is_json else request.form
    options = _selected_options(body, subject)
    text, token = str(body.get("sms", "")), str(body.get("sending", ""))
    if not 0 < len(token) <= 64:
        abort(400)
    try:
        message = manual.queue_manual_message(
            site(), subject, text, actor=me().login, token=token, **options
        )
    except Refused as error:
        if request.is_json:
            return jsonify(trouble=str(message_labels.TEXT_TROUBLES[error.code]))
        return refusals.redirect_back(_return_address(about, id), error.code, "sms-title")
    notice = _sending_notice(message)
    if request.is_json:
        return jsonify(trouble="", done=notice)
    flash(notice)
    return redirect(_return_address(about, id))


def _sending_notice(message: "Message") -> str:
    """Return a text that says when a message will be sent."""
    if message.due_at <= message.created_at:
        return str(_("It will be sent."))
    return str(_("It will be sent on %(moment)s.", moment=formats.moment(message.due_at)))


def _selected_options(body: MultiDict[str, Any], subject: Subject) -> dict[str, Any]:
    """Return the selected number, template and language, as arguments of notices.manual.

    They are passed to its functions as `number`, `template` and `language`. A masked number is
    replaced by the subject's own. The template is None unless one was selected; an unknown language
    is replaced by the first one.
    """
    language = str(body.get("language", ""))
    number = parse_integer(str(body.get("template", "")), 1, 10**9)
    template: SmsTemplate | None = templates.find_template(number) if number else None
    return {
        "number": number_masks.unmask_number(str(body.get("to", "")), subject.number),
        "template": template,
        "language": language if language in texts.LANGUAGES else texts.LANGUAGES[0],
    }


def _return_address(about: str, id: str) -> str:
    """Return the address of the subject's page; for a form, of the operator's page."""
    match about:
        case "appeal":
            return url_for("appeals.show_appeal", number=id)
        case "call":
            return url_for("call.show_call", call_id=id)
        case _:
            return url_for("operator.show_workplace")


def _writable_subject(about: str, id: str) -> Subject:
    """Return the subject of a message; abort with 403 or 404 if the user may not write about it.

    Operators may write about their own appeals and forms, supervisors about all appeals and calls.
    """
    match about:
        case "appeal":
            appeal = appeal_access.readable_appeal(id)
            if not appeal_access.can_write_message(appeal):
                abort(403)
            return manual.appeal_subject(site(), appeal)
        case "call":
            call = rights.has_full_scope(me(), "sms.write") and queries.viewable_call(me(), id)
            return manual.call_subject(site(), call or abort(404))
        case _:
            return manual.desk_subject(site(), _operator_desk(id))


def _operator_desk(token: str) -> OperatorDesk:
    """Return the operator's own form together with its call, even if it is registered.

    Aborts with 404 if the user is no operator, or if the form is not their own.
    """
    if me().role != "operator":
        abort(404)
    return own_desk(token)


def _subject_messages(about: str, id: str) -> "list[Message]":
    """Return the messages sent about the subject; abort with 404 if the user may not see it.

    For a call or a form, messages about the appeals made in the call are included, except those
    whose content the user may not read.
    """
    match about:
        case "appeal":
            return citizens.messages_of_appeal(appeal_access.readable_appeal(id))
        case "call":
            call = queries.viewable_call(me(), id) or abort(404)
            call_appeals = queries.visible_appeals_of_call(call.id, me())
            return manual.messages_about(
                call.id, [appeal for appeal in call_appeals if not appeal.veiled]
            )
        case _:
            desk = _operator_desk(id)
            call_id = desk.call.id if desk.call else None
            return manual.messages_about(call_id, desk.registered, desk.token)


def _log_disclosure(about: str, id: str) -> None:
    """Record in the audit that this response shows the subject."""
    disclosure.log_shown("draft" if about == "form" else about, [id])
