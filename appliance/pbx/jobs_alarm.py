"""The alarm about `appliance jobs`: that process sends all messages, so it cannot send this one.

The pbx process checks the heartbeats of the jobs and the time of their last health check. The alarm
is queued in the outbox like any other. While the jobs are not well, the pbx process claims the
messages of that one cause and sends them itself: by the bot, and by the SMS accounts, modems
included. It needs no thread, socket or lock of the jobs.
"""

from collections.abc import Sequence

from appliance.box import health
from appliance.core import outbox
from appliance.core.settings import Settings
from appliance.models import Message
from appliance.pbx import alarm_channels


def send_alarm(settings: Settings) -> int:
    """If the jobs are not well, send the due messages about it; returns how many were sent."""
    check = health.jobs_process(settings)
    if check.state != "fail":
        return 0
    messages = [*_send_by_bot(settings, check.code), *_send_by_sms(settings, check.code)]
    sent_messages = Message.select().where(
        Message.id.in_([message.id for message in messages]), Message.state == "sent"
    )
    return int(sent_messages.count())


def _send_by_bot(settings: Settings, cause: str) -> Sequence[Message]:
    """Try to send the due Telegram messages of this cause; returns those that were tried."""
    if not settings.telegram or not (messages := outbox.claim_for_cause("telegram", cause)):
        return ()
    from appliance.messaging.telegram.courier import TelegramCourier  # see alarm_channels

    courier = TelegramCourier(alarm_channels.bot_client(settings.telegram))
    for message in messages:
        courier.send_message(message)
    return messages


def _send_by_sms(settings: Settings, cause: str) -> Sequence[Message]:
    """Try to send the due SMS of this cause; returns those that were tried."""
    if not settings.sms or not (messages := outbox.claim_for_cause("sms", cause)):
        return ()
    with alarm_channels.open_sms_sender(settings) as sender:
        for message in messages:
            sender.send_message(message)
    return messages
