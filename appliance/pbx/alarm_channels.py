"""The Telegram bot and the SMS accounts by which the pbx process itself sends alarms.

They load an HTTP client and are seldom needed: therefore no other module of the pbx imports them.
"""

import contextlib
from collections.abc import Iterator
from typing import TYPE_CHECKING

from appliance.core.settings import Settings, Telegram

if TYPE_CHECKING:
    from appliance.messaging.sms.sender import SmsSender
    from appliance.messaging.telegram.bot_api import BotApiClient


def bot_client(account: Telegram) -> "BotApiClient":
    """Return a client of the Telegram Bot API for this account."""
    from appliance.messaging.telegram.bot_api import BotApiClient

    return BotApiClient(account.url, account.token)


@contextlib.contextmanager
def open_sms_sender(settings: Settings) -> Iterator["SmsSender"]:
    """Yield an SMS sender; its gateways are closed afterwards, as `appliance jobs` needs them."""
    from appliance.messaging.sms.sender import build_sender

    sender = build_sender(settings)
    try:
        yield sender
    finally:
        sender.close_gateways()
