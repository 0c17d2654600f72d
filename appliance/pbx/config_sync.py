"""Puts changes of the routing plan, directory, accounts and hidden numbers in force at once."""

import contextlib
import datetime as dt
import logging
import threading

from appliance.box import processes
from appliance.core import live
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.pbx import actions, config
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.people import accounts
from appliance.telephony import directory, number_hiding, routing

log = logging.getLogger(__name__)

_POLL_SECONDS = 1.0
_WATCHED_TOPICS = (
    routing.PLAN_TOPIC,
    directory.DIRECTORY_TOPIC,
    accounts.TOPIC,
    number_hiding.NUMBERS_TOPIC,
)


def follow_changes(settings: Settings, stop: threading.Event) -> None:
    """Put every change in force in Asterisk, until `stop` is set."""
    latest = live.newest_topic_event_id(*_WATCHED_TOPICS)
    while not stop.wait(_POLL_SECONDS):
        if (newest := live.newest_topic_event_id(*_WATCHED_TOPICS)) > latest:
            latest = newest
            apply_changes(settings, latest)


def apply_changes(settings: Settings, event_id: int = 0) -> list[str]:
    """Install the changed files and have Asterisk load them; returns their names.

    Queues are updated first, so that an operator who was removed is not rung while a second
    Asterisk verifies the files. After a fault, which is logged, calls go on as before and the list
    is empty. `event_id` is that of the live event that reported the change (0: no event did): once
    the change is in force, it is published again, for the page that waits for it.
    """
    try:
        with contextlib.suppress(ActionRefused):  # a phone that is not in the files yet
            actions.apply_states(settings)
        former_secret = config.ami_secret(settings)
        if changed_files := config.install_files(settings):
            actions.reload_asterisk(settings, former_secret)
            actions.apply_states(settings)
            log.info("plan, directory and accounts are in force: %s", ", ".join(changed_files))
        with write_transaction():
            live.publish_topics(f"{actions.APPLIED_TOPIC}{event_id}")
        return changed_files
    except (config.ConfigError, ActionRefused, Unreachable) as error:
        log.warning("plan, directory or accounts are not in force: %s", error)
        return []


def record_asterisk_version(asterisk: Connection) -> None:
    """Record the version of the Asterisk that answers, and since when it runs."""
    version = asterisk.send_action("CoreSettings").get("AsteriskVersion", "")
    status = asterisk.send_action("CoreStatus")
    # The times are in the time zone of this machine, which is also Asterisk's.
    started_at = f"{status['CoreStartupDate']} {status['CoreStartupTime']}"
    processes.record_asterisk_start(
        version, dt.datetime.fromisoformat(started_at).astimezone(dt.UTC)
    )
