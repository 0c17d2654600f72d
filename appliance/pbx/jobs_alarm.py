"""The alarm of `appliance jobs`, which sends all messages and cannot report its own hang.

The pbx process looks at the jobs' signs of life and at the moment of their last look at the box.
The alarm is put into the outbox like any other. While the jobs are not well, the pbx process takes
the messages of that one cause out of it and sends them itself: by the bot, and by the SMS accounts,
a modem among them. It needs no thread, socket or lock of the jobs.
"""

import logging

import peewee

from appliance.box import health
from appliance.core import outbox
from appliance.core.delivery import Declined, NotSent, Unsure
from appliance.core.settings import Settings
from appliance.models import Message

log = logging.getLogger(__name__)


def send(settings: Settings) -> int:
    """While the jobs are not well, send what is due about that; returns how many were sent."""
    check = health.jobs_process(settings)
    if check.state != "fail":
        return 0
    return _send_by_bot(settings, check.code) + _send_by_sms(settings, check.code)


def _send_by_bot(settings: Settings, cause: str) -> int:
    if not settings.telegram:
        return 0
    from appliance.messaging.telegram.bot_api import Telegram  # what speaks HTTP: seldom needed

    bot = Telegram(settings.telegram.url, settings.telegram.token)
    count = 0
    for message in outbox.claim_caused("telegram", cause):
        try:
            receipt = bot.send(message.recipient, message.text)
        except NotSent as trouble:
            log.warning("the alarm of the jobs: %s", trouble)
            outbox.retry(message, trouble.code, trouble.said)
        except Unsure as trouble:
            outbox.retry(message, trouble.code, trouble.said, perhaps_sent=True, by="telegram")
        except Declined as trouble:
            outbox.declined(message, trouble.code, trouble.said)
        else:
            outbox.sent(message, "telegram", receipt.id)
            count += 1
    return count


def _send_by_sms(settings: Settings, cause: str) -> int:
    if not settings.sms or not (messages := outbox.claim_caused("sms", cause)):
        return 0
    from appliance.messaging.sms import sender  # as above

    senders = sender.senders(settings)
    try:
        for message in messages:
            try:
                senders.send(message)
            except peewee.OperationalError:  # tried again by who runs this thread
                raise
            except Exception:  # a gateway that answers what nobody foresaw; it ends no process
                log.exception("the alarm of the jobs, message %d", message.id)
                outbox.retry(message, "no_sense", perhaps_sent=True, by=message.gateway)
    finally:
        for gateway in senders.gateways:
            gateway.close()
    sent = Message.select().where(Message.id.in_([m.id for m in messages]), Message.state == "sent")
    return int(sent.count())
