"""The alarm about a database that accepts no changes, which therefore cannot be in the outbox.

The pbx process checks the database and sends this one alarm itself: by the bot, and by the first
SMS account that accepts it, modems included. Nothing about it is stored: a process that is
restarted while the database is locked sends it again.
"""

import datetime as dt
import logging
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import peewee

from appliance.box import alarms
from appliance.box.health import Check, database
from appliance.core import clock
from appliance.core.delivery import DeliveryError
from appliance.core.settings import Settings, Telegram
from appliance.messaging.notices import duty
from appliance.pbx import alarm_channels

if TYPE_CHECKING:
    from appliance.messaging.sms.gateway import SmsGateway

POLL_SECONDS = 10
LOCK_GRACE_PERIOD = dt.timedelta(seconds=25)  # until then, a lock may end by itself

log = logging.getLogger(__name__)


@dataclass
class DatabaseAlarm:
    """Sends one alarm each time that the database accepts no changes for LOCK_GRACE_PERIOD."""

    settings: Settings
    failing_since: dt.datetime | None = None  # None: it accepted changes at the last check
    is_sent: bool = False  # the alarm about the current fault has been sent

    def check_database(self) -> bool:
        """Check once whether the database accepts changes, and send the alarm if it is due.

        It is due once in each fault, when that has lasted for LOCK_GRACE_PERIOD; sending is tried
        again until it succeeds. Returns True if the alarm was sent now.
        """
        check = next(database.check_database_writable(self.settings))
        if check.state == "ok":
            self.failing_since, self.is_sent = None, False
            return False
        self.failing_since = self.failing_since or clock.now()
        if self.is_sent or clock.now() - self.failing_since < LOCK_GRACE_PERIOD:
            return False
        self.is_sent = send_alarm(self.settings, check)
        return self.is_sent


def watch_database(settings: Settings, stop: threading.Event) -> None:
    """Check regularly whether the database accepts changes, until `stop` is set.

    If it does not, an alarm is sent.
    """
    alarm = DatabaseAlarm(settings)
    while not stop.wait(POLL_SECONDS):
        alarm.check_database()


def send_alarm(settings: Settings, check: Check) -> bool:
    """Send a fault to the people who maintain the box; returns True if at least one was reached."""
    text = alarms.fault_message(settings, check)
    chats, phones = duty.maintainer_contacts(settings)
    key = f"alarm:{check.code}:{clock.now().isoformat()}"
    bot = settings.telegram
    results = [_send_by_bot(bot, _current_chat_id(chat), text) for chat in chats] if bot else []
    if settings.sms and phones:
        with alarm_channels.open_sms_sender(settings) as sender:
            results += [_send_by_sms(sender.gateways, phone, text, key) for phone in phones]
    return any(results)


def _current_chat_id(configured_id: int) -> str:
    """Return the current id of a chat that has `configured_id` in the settings.

    A group gets a new id when Telegram turns it into a supergroup. If the database cannot be read,
    the id in the settings is returned.
    """
    try:
        return duty.current_chat_id(configured_id)
    except peewee.PeeweeException:  # this alarm is about the database: it is sent nevertheless
        return str(configured_id)


def _send_by_bot(account: Telegram, chat: str, text: str) -> bool:
    """Send the text to a chat; returns True if it was sent."""
    try:
        alarm_channels.bot_client(account).send_text(chat, text)
    except DeliveryError as trouble:
        log.warning("the alarm of the database: %s", trouble)
        return False
    except Exception:  # the boundary of a service: no fault there may end this process
        log.exception("the alarm of the database, by the bot")
        return False
    return True


def _send_by_sms(gateways: Sequence["SmsGateway"], phone: str, text: str, key: str) -> bool:
    """Send the text through the first account that accepts it; returns True if it was sent.

    `key` identifies the message, so that a service does not send it twice.
    """
    for gateway in gateways:
        try:
            gateway.send(phone, text, key)
        except DeliveryError as trouble:
            log.warning("the alarm of the database, by %s: %s", gateway.name, trouble)
        except Exception:  # the boundary of a service: no fault there may end this process
            log.exception("the alarm of the database, by %s", gateway.name)
        else:
            return True
    return False
