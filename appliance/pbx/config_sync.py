"""Changes of the directory, of accounts and of who reads numbers are in force in Asterisk within
seconds."""

import contextlib
import datetime as dt
import logging
import threading

from appliance.box import processes
from appliance.core.settings import Settings
from appliance.models import LiveEvent
from appliance.pbx import actions, config
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.people import accounts
from appliance.telephony import directory, number_hiding

log = logging.getLogger(__name__)

_LOOK = 1.0
_TOPICS = (directory.TOPIC, accounts.TOPIC, number_hiding.TOPIC)


def follow(settings: Settings, stop: threading.Event) -> None:
    """Until told to stop, put in force what was changed."""
    seen = _newest()
    while not stop.wait(_LOOK):
        if (newest := _newest()) > seen:
            seen = newest
            put_in_force(settings)


def put_in_force(settings: Settings) -> list[str]:
    """Install what changed and have Asterisk read it; a fault is logged, calls go on as before.

    Queues come first: who was let go rings no more while a second Asterisk tries the files.
    """
    try:
        with contextlib.suppress(Refused):  # a phone that is not in the files yet
            actions.put_states_in_force(settings)
        asked = config.ami_secret(settings)
        if changed := config.install(settings):
            actions.reload(settings, asked)
            actions.put_states_in_force(settings)
            log.info("directory and accounts are in force: %s", ", ".join(changed))
        return changed
    except (config.ConfigError, Refused, Unreachable) as error:
        log.warning("directory or accounts are not in force: %s", error)
        return []


def note_version(asterisk: Connection) -> None:
    """Write down which Asterisk answers, and since when it runs."""
    version = asterisk.act("CoreSettings").get("AsteriskVersion", "")
    status = asterisk.act("CoreStatus")
    # in the time zone of this machine, which is Asterisk's too
    began = f"{status['CoreStartupDate']} {status['CoreStartupTime']}"
    processes.see_asterisk(version, dt.datetime.fromisoformat(began).astimezone(dt.UTC))


def _newest() -> int:
    last = LiveEvent.select(LiveEvent.id).where(LiveEvent.topic.in_(_TOPICS))
    return last.order_by(LiveEvent.id.desc()).limit(1).scalar() or 0
