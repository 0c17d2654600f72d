"""The alarm of a database that takes no changes: it cannot be put into the outbox, which is in it.

The pbx process tries the database and sends this one alarm itself, by the bot and by the first SMS
account that takes it, a modem among them. Nothing of it is stored; a process that starts while the
database is locked sends it again.
"""

import datetime as dt
import logging
import threading
from dataclasses import dataclass

import peewee

from appliance.box import alarms
from appliance.box.health import Check, database
from appliance.core import clock
from appliance.core.delivery import Trouble
from appliance.core.settings import Settings, Telegram
from appliance.messaging.notices import duty

LOOK_SECONDS = 10
PATIENCE = dt.timedelta(seconds=25)  # in which a lock may pass by itself

log = logging.getLogger(__name__)


@dataclass
class DatabaseAlarm:
    """One alarm for each time that the database takes no changes for longer than PATIENCE."""

    settings: Settings
    failing_since: dt.datetime | None = None
    is_sent: bool = False

    def look(self) -> bool:
        """Try the database once; returns True when the alarm went out now."""
        check = next(database.takes_changes(self.settings))
        if check.state == "ok":
            self.failing_since, self.is_sent = None, False
            return False
        self.failing_since = self.failing_since or clock.now()
        if self.is_sent or clock.now() - self.failing_since < PATIENCE:
            return False
        self.is_sent = send(self.settings, check)
        return self.is_sent


def watch(settings: Settings, stop: threading.Event) -> None:
    """Look at the database until `stop`."""
    alarm = DatabaseAlarm(settings)
    while not stop.wait(LOOK_SECONDS):
        alarm.look()


def send(settings: Settings, check: Check) -> bool:
    """Send a fault to those who look after the box; returns True when somebody was reached."""
    text = alarms.wording(settings, check)
    chats, phones = duty.keepers(settings)
    key = f"alarm:{check.code}:{clock.now().isoformat()}"
    bot = settings.telegram
    sent = [_send_by_bot(bot, _current_id(chat), text) for chat in chats] if bot else []
    sent += [_send_by_sms(settings, phone, text, key) for phone in phones if settings.sms]
    return any(sent)


def _current_id(chat: int) -> str:
    """The id of a chat now; that of the settings where the database cannot even be read."""
    try:
        return duty.chat_of(chat)
    except peewee.PeeweeException:
        return str(chat)


def _send_by_bot(account: Telegram, chat: str, text: str) -> bool:
    from appliance.messaging.telegram import bot_api  # what speaks HTTP: seldom needed

    try:
        bot_api.Telegram(account.url, account.token).send(chat, text)
    except Trouble as trouble:
        log.warning("the alarm of the database: %s", trouble)
        return False
    except Exception:  # the boundary of a service: no fault there may end this process
        log.exception("the alarm of the database, by the bot")
        return False
    return True


def _send_by_sms(settings: Settings, phone: str, text: str, key: str) -> bool:
    """Give the text to the first account that takes it."""
    from appliance.messaging.sms import accounts  # as above

    for gateway in accounts.gateways(settings):
        try:
            gateway.send(phone, text, key)
        except Trouble as trouble:
            log.warning("the alarm of the database, by %s: %s", gateway.name, trouble)
        except Exception:  # as above
            log.exception("the alarm of the database, by %s", gateway.name)
        else:
            return True
        finally:
            gateway.close()
    return False
