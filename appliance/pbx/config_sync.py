"""Changes of the plan, of the directory, of accounts and of who reads numbers are in force in
Asterisk within seconds."""

import contextlib
import datetime as dt
import logging
import threading

from appliance.box import processes
from appliance.core import live
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.pbx import actions, config
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.people import accounts
from appliance.telephony import directory, number_hiding, routing

log = logging.getLogger(__name__)

_LOOK = 1.0
_TOPICS = (routing.TOPIC, directory.TOPIC, accounts.TOPIC, number_hiding.TOPIC)


def follow(settings: Settings, stop: threading.Event) -> None:
    """Until told to stop, put in force what was changed."""
    seen = live.newest_of(*_TOPICS)
    while not stop.wait(_LOOK):
        if (newest := live.newest_of(*_TOPICS)) > seen:
            seen = newest
            put_in_force(settings, seen)


def put_in_force(settings: Settings, event: int = 0) -> list[str]:
    """Install what changed and have Asterisk read it; a fault is logged, calls go on as before.

    Queues come first: who was let go rings no more while a second Asterisk tries the files.
    `event`: what is put in force by it, told to the page that waits for it.
    """
    try:
        with contextlib.suppress(Refused):  # a phone that is not in the files yet
            actions.put_states_in_force(settings)
        asked = config.ami_secret(settings)
        if changed := config.install(settings):
            actions.reload(settings, asked)
            actions.put_states_in_force(settings)
            log.info("plan, directory and accounts are in force: %s", ", ".join(changed))
        with writing():
            live.publish(f"{actions.TAKEN}{event}")
        return changed
    except (config.ConfigError, Refused, Unreachable) as error:
        log.warning("plan, directory or accounts are not in force: %s", error)
        return []


def note_version(asterisk: Connection) -> None:
    """Write down which Asterisk answers, and since when it runs."""
    version = asterisk.act("CoreSettings").get("AsteriskVersion", "")
    status = asterisk.act("CoreStatus")
    # in the time zone of this machine, which is Asterisk's too
    began = f"{status['CoreStartupDate']} {status['CoreStartupTime']}"
    processes.see_asterisk(version, dt.datetime.fromisoformat(began).astimezone(dt.UTC))
