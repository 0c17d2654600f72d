"""Reminders that the term of a change request ends: to the group, and by SMS.

A reminder has only the number, the kind and the term; the ministry's text is not sent.
"""

import datetime as dt

from appliance.casework import catalogs
from appliance.casework.changes import requests, terms
from appliance.core import clock, i18n, outbox
from appliance.core.db import write_transaction
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.models import ChangeRequest, Message

PURPOSE = "request"


def send_reminders(settings: Settings) -> int:
    """Queue reminders of open requests whose term ends soon, each once; returns their number."""
    calendar, count = catalogs.working_calendar(settings), 0
    for request in requests.open_requests():
        now = clock.now()
        if requests.is_due_soon(request, calendar, now) and not _is_reminded(request):
            with write_transaction():
                count += _queue_reminder(settings, request, request.due_at - now)
    return count


def reminder_text(settings: Settings, request: ChangeRequest, locale: str) -> str:
    """Return the text of a reminder."""
    translate = i18n.locale_translations(locale).gettext
    return translate(N_("Change request no. {number} ({kind}): its term ends {due}. {url}")).format(
        number=request.id,
        kind=translate(terms.KINDS_BY_CODE[request.kind].name),
        due=f"{request.due_at.astimezone(settings.tz):%d.%m.%Y %H:%M}",
        url=f"{settings.web.url}/changes/{request.id}",
    )


def _is_reminded(request: ChangeRequest) -> bool:
    reminders = (Message.purpose == PURPOSE, Message.cause == _reminder_cause(request))
    return bool(Message.select().where(*reminders).exists())


def _queue_reminder(settings: Settings, request: ChangeRequest, lifetime: dt.timedelta) -> bool:
    """Queue the messages about a request; returns True if there was any recipient."""
    key, cause = f"request:{request.id}", _reminder_cause(request)
    queued: list[Message | None] = []
    if bot := settings.telegram:
        text, chat = reminder_text(settings, request, bot.language), duty.current_chat_id(bot.chat)
        group = f"{key}:group"
        queued.append(
            outbox.queue_message(
                "telegram", PURPOSE, chat, key=group, text=text, cause=cause, lifetime=lifetime
            )
        )
    text = reminder_text(settings, request, settings.alarms.language)
    for phone in sorted(duty.maintainer_contacts(settings)[1]) if settings.sms else ():
        phone_key = f"{key}:{phone}"
        queued.append(
            outbox.queue_sms(PURPOSE, phone, text, key=phone_key, tz=settings.tz, cause=cause)
        )
    return any(queued)


def _reminder_cause(request: ChangeRequest) -> str:
    return f"request {request.id}"
