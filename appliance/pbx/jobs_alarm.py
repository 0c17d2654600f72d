"""The alarm of `appliance jobs`, which sends all messages and cannot report that it hangs itself.

The pbx process checks the heartbeats of the jobs and the time of their last health check. The alarm
is queued in the outbox like any other. While the jobs are not well, the pbx process claims the
messages of that one cause from the outbox and sends them itself: by the bot, and by the SMS
accounts, modems included. It needs no thread, socket or lock of the jobs.
"""

import logging

import peewee

from appliance.box import health
from appliance.core import outbox
from appliance.core.delivery import DeclinedError, NotSentError, UncertainDeliveryError
from appliance.core.settings import Settings
from appliance.models import Message

log = logging.getLogger(__name__)


def send_alarm(settings: Settings) -> int:
    """Send the messages due about jobs that are not well; returns how many were sent.

    Does nothing while the jobs are well.
    """
    check = health.jobs_process(settings)
    if check.state != "fail":
        return 0
    return _send_by_bot(settings, check.code) + _send_by_sms(settings, check.code)


def _send_by_bot(settings: Settings, cause: str) -> int:
    """Send the due Telegram messages of this cause; returns how many were sent."""
    if not settings.telegram:
        return 0
    from appliance.messaging.telegram.bot_api import (
        BotApiClient,  # loads an HTTP client, seldom needed
    )

    bot = BotApiClient(settings.telegram.url, settings.telegram.token)
    count = 0
    for message in outbox.claim_for_cause("telegram", cause):
        try:
            receipt = bot.send_text(message.recipient, message.text)
        except NotSentError as error:
            log.warning("the alarm of the jobs: %s", error)
            outbox.schedule_retry(message, error.code, error.detail)
        except UncertainDeliveryError as error:
            outbox.schedule_retry(
                message, error.code, error.detail, perhaps_sent=True, gateway="telegram"
            )
        except DeclinedError as error:
            outbox.mark_declined(message, error.code, error.detail)
        else:
            outbox.mark_sent(message, "telegram", receipt.id)
            count += 1
    return count


def _send_by_sms(settings: Settings, cause: str) -> int:
    """Send the due SMS of this cause; returns how many were sent."""
    if not settings.sms or not (messages := outbox.claim_for_cause("sms", cause)):
        return 0
    from appliance.messaging.sms import sender  # loads an HTTP client, seldom needed

    senders = sender.build_sender(settings)
    try:
        for message in messages:
            try:
                senders.send_message(message)
            except peewee.OperationalError:  # retried by the caller of this thread's work
                raise
            except Exception:  # the boundary of a gateway: an unexpected answer ends no process
                log.exception("the alarm of the jobs, message %d", message.id)
                outbox.schedule_retry(
                    message, "no_sense", perhaps_sent=True, gateway=message.gateway
                )
    finally:
        for gateway in senders.gateways:
            gateway.close()
    sent_messages = Message.select().where(
        Message.id.in_([message_row.id for message_row in messages]), Message.state == "sent"
    )
    return int(sent_messages.count())
