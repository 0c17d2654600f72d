"""What the services know of messages on hold after a restore: candidates for, and written down."""

import logging
import time
from collections.abc import Callable, Collection, Sequence

from appliance.core import outbox
from appliance.core.delivery import Trouble
from appliance.messaging.sms.gateway import Sending, SmsGateway
from appliance.models import Message

log = logging.getLogger(__name__)

ASKING_SECONDS = 10.0  # in which services are candidates each minute: sending must not wait
_MOST = 100
_ARRIVED = ("delivered", "taken")


def ask(
    gateways: Sequence[SmsGateway],
    passed_over: Collection[str] = (),
    goes_on: Callable[[], bool] = lambda: True,
) -> int:
    """Ask the services about messages on hold; returns how many answers were written down.

    Every account is asked that may have sent one: the one that was to send it again, else all.
    One that does not answer, or is `passed_over`, may have sent what the others do not know.
    """
    silent, count, began = set(passed_over), 0, time.monotonic()
    for row in outbox.to_ask("sms", _MOST):
        if not goes_on() or time.monotonic() - began > ASKING_SECONDS:
            break
        candidates = [one for one in gateways if row.message.gateway in ("", one.name)]
        replies = {}
        for gateway in candidates:
            if gateway.name not in silent:
                replies[gateway.name] = _word(gateway, row.message)
        silent |= {name for name, word in replies.items() if not word}
        answers = {name: word for name, word in replies.items() if word}
        account = min(answers, key=lambda name: outbox.WORDS.index(answers[name]), default="")
        word = answers.get(account, "unknown")
        if word in _ARRIVED or not silent & {one.name for one in candidates}:
            outbox.note(row, account, word)
            count += 1
    return count


def _word(gateway: SmsGateway, message: Message) -> str:
    """One of outbox.WORDS; "" when the service does not answer."""
    key = outbox.key_of(message)
    sending = Sending(message.recipient, message.text, key, message.foreign_id, message.created_at)
    try:
        return gateway.look_up(sending)
    except Trouble as trouble:
        log.warning("%s says nothing about message %d: %s", gateway.name, message.id, trouble)
        return ""
