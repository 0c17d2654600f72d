"""SMS on the page of an appeal or a call and on the operator's page: those sent, and a form."""

import secrets
from typing import TYPE_CHECKING

from appliance.core import clock, phone_numbers
from appliance.messaging.notices import templates
from appliance.messaging.notices.manual import Subject
from appliance.web.shared import message_labels
from appliance.web.shell import disclosure, number_masks, refusals
from appliance.web.shell.context import site
from appliance.web.shell.labels import CALL_LANGUAGES

if TYPE_CHECKING:
    from appliance.models import Message


def messages_context(
    about: str,
    id: str,
    messages: "list[Message]",
    subject: Subject | None = None,
    template: str = "",
) -> dict[str, object]:
    """Return the context of messages/list.html and, if a subject is given, of messages/form.html.

    `about` is "appeal", "call" or "form", and `id` its number, id or token, as in the URL.
    `messages` are those to be listed; that they are shown is recorded in the audit. `subject` is
    what an SMS would be about, if the user may write one. The form starts with the SMS template
    whose id is `template`, "" for no template.
    """
    refusal = refusals.latest_refusal()
    is_own_refusal = refusal.address == f"/messages/{about}/{id}"
    disclosure.log_shown("message", [message.id for message in messages])
    return {
        "sms": {
            "about": about,
            "id": id,
            "messages": messages,
            "states": message_labels.STATES,
            "purposes": message_labels.PURPOSES,
            "troubles": message_labels.TROUBLES,
            "now": clock.now(),
            "subject": subject,
            "number": number_masks.readable_number(phone_numbers.grouped_number(subject.number))
            if subject
            else "",
            "accounts": site().sms,
            "templates": templates.list_templates(),
            "languages": CALL_LANGUAGES,
            "sending": secrets.token_hex(8),  # so that a form submitted twice sends one SMS
            "sent": refusal.values if is_own_refusal else {},
            "template": template,
            "trouble": message_labels.TEXT_TROUBLES.get(refusal.trouble, "")
            if is_own_refusal
            else "",
        }
    }
