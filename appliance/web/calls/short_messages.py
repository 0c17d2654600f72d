"""Short messages as cards and the operator's page show them: what went, and a form for one more."""

import secrets
from typing import TYPE_CHECKING

from appliance.core import clock, phone_numbers
from appliance.messaging.notices import templates
from appliance.messaging.notices.manual import Subject
from appliance.web.shell import disclosure, numbers, refusals
from appliance.web.shell.context import site
from appliance.web.shell.labels import CALL_LANGUAGES
from appliance.web.status import outbox

if TYPE_CHECKING:
    from appliance.models import Message


def shown(
    about: str,
    id: str,
    messages: "list[Message]",
    subject: Subject | None = None,
    template: str = "",
) -> dict[str, object]:
    """What messages/list.html and, with a subject, messages/form.html show.

    `about` and `id` are those of the addresses: appeal, call or form, and which one; `template` is
    the id of the one that a fresh form begins with.
    """
    was = refusals.latest()
    ours = was.address == f"/messages/{about}/{id}"
    disclosure.log_shown("message", [message.id for message in messages])
    return {
        "sms": {
            "about": about,
            "id": id,
            "messages": messages,
            "states": outbox.STATES,
            "purposes": outbox.PURPOSES,
            "troubles": outbox.TROUBLES,
            "now": clock.now(),
            "subject": subject,
            "number": numbers.seen(phone_numbers.grouped(subject.number)) if subject else "",
            "accounts": site().sms,
            "templates": templates.templates(),
            "languages": CALL_LANGUAGES,
            "sending": secrets.token_hex(8),
            "sent": was.values if ours else {},
            "template": template,
            "trouble": outbox.TEXT_TROUBLES.get(was.trouble, "") if ours else "",
        }
    }
