"""Asks the services about messages that are on hold after a restore from a backup.

The backup may be older than the sending of a message, so the message may have been sent already.
"""

import logging
import time
from collections.abc import Callable, Collection, Sequence

from appliance.core import outbox
from appliance.core.delivery import DeliveryError
from appliance.messaging.sms.gateway import Sending, SmsGateway
from appliance.models import Message

log = logging.getLogger(__name__)

QUERY_BUDGET_SECONDS = 10.0  # for these queries each minute, because sending must not wait
_MAX_MESSAGES = 100
_ACCEPTED_STATUSES = ("delivered", "taken")


def query_held_messages(
    gateways: Sequence[SmsGateway],
    skipped_accounts: Collection[str] = (),
    should_continue: Callable[[], bool] = lambda: True,
) -> int:
    """Query the services about messages on hold; returns the number of results recorded.

    All accounts that may have sent a message are queried: the one noted with the message, or else
    every one. While one of them is silent (it is in `skipped_accounts`, or does not answer), only
    the result that another account accepted the message is recorded.
    """
    silent, count, started = set(skipped_accounts), 0, time.monotonic()
    for held_message in outbox.held_messages_to_look_up("sms", _MAX_MESSAGES):
        if not should_continue() or time.monotonic() - started > QUERY_BUDGET_SECONDS:
            break
        candidates = [
            gateway_item
            for gateway_item in gateways
            if held_message.message.gateway in ("", gateway_item.name)
        ]
        replies = {}
        for gateway in candidates:
            if gateway.name not in silent:
                replies[gateway.name] = _service_status(gateway, held_message.message)
        silent |= {name for name, status in replies.items() if not status}
        answers = {name: status for name, status in replies.items() if status}
        account = min(
            answers, key=lambda name: outbox.SERVICE_STATUSES.index(answers[name]), default=""
        )
        status = answers.get(account, "unknown")
        if status in _ACCEPTED_STATUSES or not silent & {
            gateway_item.name for gateway_item in candidates
        }:
            outbox.record_service_status(held_message, account, status)
            count += 1
    return count


def _service_status(gateway: SmsGateway, message: Message) -> str:
    """Return one of outbox.SERVICE_STATUSES; "" if the service does not answer."""
    key = outbox.gateway_key(message)
    sending = Sending(message.recipient, message.text, key, message.foreign_id, message.created_at)
    try:
        return gateway.look_up(sending)
    except DeliveryError as trouble:
        log.warning("%s says nothing about message %d: %s", gateway.name, message.id, trouble)
        return ""
