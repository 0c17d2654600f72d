"""The reminder that the term of a change request ends: to the group, and by SMS.

What the ministry wrote stays in the box: a reminder has the number, the kind and the term.
"""

import datetime as dt

from appliance.casework import catalogs, changes
from appliance.casework.changes import terms
from appliance.core import clock, i18n, outbox
from appliance.core.db import writing
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.messaging.notices import duty
from appliance.models import ChangeRequest, Message

PURPOSE = "request"


def remind(settings: Settings) -> int:
    """Tell of open requests whose term ends soon, each once; returns how many were told."""
    calendar, count = catalogs.working_calendar(settings), 0
    for request in changes.opened():
        now = clock.now()
        if changes.is_near(request, calendar, now) and not _is_told(request):
            with writing():
                count += _put(settings, request, request.due_at - now)
    return count


def wording(settings: Settings, request: ChangeRequest, locale: str) -> str:
    """What is told of a request."""
    say = i18n.translations(locale).gettext
    return say(N_("Change request no. {number} ({kind}): the term ends {due}. {url}")).format(
        number=request.id,
        kind=say(terms.KINDS[request.kind].name),
        due=f"{request.due_at.astimezone(settings.tz):%d.%m.%Y %H:%M}",
        url=f"{settings.web.url}/changes/{request.id}",
    )


def _is_told(request: ChangeRequest) -> bool:
    reminders = (Message.purpose == PURPOSE, Message.cause == _cause(request))
    return Message.select().where(*reminders).exists()


def _put(settings: Settings, request: ChangeRequest, wanted_for: dt.timedelta) -> bool:
    """Put the messages of a request; whether there is anybody to be told."""
    key, cause = f"request:{request.id}", _cause(request)
    put: list[Message | None] = []
    if bot := settings.telegram:
        text, chat = wording(settings, request, bot.language), duty.chat_of(bot.chat)
        group = f"{key}:group"
        put.append(
            outbox.put(
                "telegram", PURPOSE, chat, key=group, text=text, cause=cause, kept=wanted_for
            )
        )
    text = wording(settings, request, settings.alarms.language)
    for phone in sorted(duty.keepers(settings)[1]) if settings.sms else ():
        its = f"{key}:{phone}"
        put.append(outbox.put_sms(PURPOSE, phone, text, key=its, tz=settings.tz, cause=cause))
    return any(put)


def _cause(request: ChangeRequest) -> str:
    return f"request {request.id}"
