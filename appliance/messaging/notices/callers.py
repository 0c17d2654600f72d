"""Notices to callers about their calls: missed, to be called back, a rating requested."""

import datetime as dt

from appliance.core import clock, outbox
from appliance.core.db import write_transaction
from appliance.core.i18n import base_language
from appliance.core.settings import Settings
from appliance.messaging.notices import citizens, ratings
from appliance.models import FollowUp, Message

NOTIFY_WITHIN = dt.timedelta(hours=12)  # callers missed at night are still notified in the morning
NOTIFY_AFTER = dt.timedelta(minutes=1)  # before that, they may call again or be called back
_PURPOSE_BY_KIND = {"queue": "missed", "callback": "callback"}  # by kind of a missed caller's task


def send_call_notices(settings: Settings) -> int:
    """Queue the notices that are due about calls, each once; returns their number."""
    ratings.erase_old_numbers()
    return _notify_missed(settings) + ratings.request_ratings(settings)


def _notify_missed(settings: Settings) -> int:
    now, count = clock.now(), 0
    is_quiet_time = outbox.time_outside_quiet_hours(now, settings.tz, settings.messages) != now
    waiting = FollowUp.select().where(
        FollowUp.closed_at.is_null(),
        FollowUp.kind.in_(["callback"] if is_quiet_time else list(_PURPOSE_BY_KIND)),
        FollowUp.missed_at > now - NOTIFY_WITHIN,
        FollowUp.missed_at <= now - NOTIFY_AFTER,
    )
    for task in waiting.order_by(FollowUp.missed_at):
        purpose, number = _PURPOSE_BY_KIND[task.kind], citizens.mobile_number(task.number)
        key = f"{purpose}:{task.call_id}"
        if not number or Message.select().where(Message.key == key).exists():
            continue
        with write_transaction():
            language = base_language(task.language)
            message = citizens.queue_notice(
                settings, purpose, number, language, {}, key=key, cause=task.call_id
            )
            if message:
                outbox.hold_if_old(message, task.missed_at)
            count += bool(message)
    return count
