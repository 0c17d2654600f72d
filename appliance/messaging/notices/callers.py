"""What callers are told of their calls: missed, called back soon, a mark asked for."""

import datetime as dt

from appliance.core import clock, outbox
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens, ratings
from appliance.models import FollowUp, Message

FRESH = dt.timedelta(hours=12)  # a missed call of the night is told in the morning
SETTLED = dt.timedelta(minutes=1)  # in which he may call again, or be called
_TOLD = {"queue": "missed", "callback": "callback"}  # kind of a task → purpose


def notify_due(settings: Settings) -> int:
    """Tell whoever is to be told of a call; each once. Returns how many were."""
    ratings.forget_numbers()
    return _tell_missed(settings) + ratings.ask_due(settings)


def _tell_missed(settings: Settings) -> int:
    now, count = clock.now(), 0
    quiet = outbox.by_day(now, settings.tz, settings.messages) != now
    waiting = FollowUp.select().where(
        FollowUp.closed_at.is_null(),
        FollowUp.kind.in_(["callback"] if quiet else list(_TOLD)),
        FollowUp.missed_at > now - FRESH,
        FollowUp.missed_at <= now - SETTLED,
    )
    for task in waiting.order_by(FollowUp.missed_at):
        purpose, number = _TOLD[task.kind], citizens.mobile(task.number)
        key = f"{purpose}:{task.call_id}"
        if not number or Message.select().where(Message.key == key).exists():
            continue
        with writing():
            language = "ru" if task.language == "ru" else "uz"
            message = citizens.notify(
                settings, purpose, number, language, {}, key=key, cause=task.call_id
            )
            if message:
                outbox.hold_if_old(message, task.missed_at)
            count += bool(message)
    return count
