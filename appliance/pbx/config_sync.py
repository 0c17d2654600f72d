"""What people change in the directory is put in force in the dialplan within seconds."""

import datetime as dt
import logging
import threading

from appliance.box import processes
from appliance.core.settings import Settings
from appliance.models import LiveEvent
from appliance.pbx import actions, config
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.telephony import directory

log = logging.getLogger(__name__)

_LOOK = 1.0


def follow(settings: Settings, stop: threading.Event) -> None:
    """Until told to stop, render Asterisk's configuration anew when the directory has changed."""
    seen = _newest()
    while not stop.wait(_LOOK):
        if (newest := _newest()) > seen:
            seen = newest
            put_in_force(settings)


def put_in_force(settings: Settings) -> list[str]:
    """Install what changed and have Asterisk read it; a fault is logged, calls go on as before."""
    try:
        if changed := config.install(settings):
            actions.reload(settings)
            log.info("the directory is in force: %s", ", ".join(changed))
        return changed
    except (config.ConfigError, Refused, Unreachable) as error:
        log.warning("the directory is not in force: %s", error)
        return []


def note_version(asterisk: Connection) -> None:
    """Write down which Asterisk answers, and since when it runs."""
    version = asterisk.act("CoreSettings").get("AsteriskVersion", "")
    status = asterisk.act("CoreStatus")
    # in the time zone of this machine, which is Asterisk's too
    began = f"{status['CoreStartupDate']} {status['CoreStartupTime']}"
    processes.see_asterisk(version, dt.datetime.fromisoformat(began).astimezone(dt.UTC))


def _newest() -> int:
    last = LiveEvent.select(LiveEvent.id).where(LiveEvent.topic == directory.TOPIC)
    return last.order_by(LiveEvent.id.desc()).limit(1).scalar() or 0
