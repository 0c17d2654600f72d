"""The alarm of `appliance jobs`, which sends all messages: it cannot send that it hangs."""

import logging

from appliance.box import health
from appliance.core import outbox
from appliance.core.delivery import Declined, NotSent, Unsure
from appliance.core.settings import Settings

log = logging.getLogger(__name__)


def send(settings: Settings) -> int:
    """While the jobs are not well, send by the bot what is to be told of that; returns how many."""
    check = health.jobs_process(settings)
    if not settings.telegram or check.state != "fail":
        return 0
    from appliance.messaging.telegram.bot_api import Telegram  # what speaks HTTP: seldom needed

    bot = Telegram(settings.telegram.url, settings.telegram.token)
    count = 0
    for message in outbox.claim_caused("telegram", check.code):
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
