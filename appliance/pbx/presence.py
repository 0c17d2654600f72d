"""What Asterisk tells of phones and trunks while it runs: a phone that nobody took up is paused."""

import datetime as dt
import logging

from appliance import clock, devices, live, plan, staff
from appliance.db import writing
from appliance.devices import Seen
from appliance.pbx.actions import states
from appliance.pbx.actions.lines import Lines
from appliance.pbx.ami import Connection
from appliance.settings import Settings

log = logging.getLogger(__name__)

EVENTS = "agent,call"  # classes of AMI that hold the events heard here
_OFF = ("UNAVAILABLE", "INVALID")


def hear(settings: Settings, event: dict[str, str]) -> None:
    """Take in one event: a member of a queue that Asterisk paused becomes an operator's pause."""
    if event.get("Event") != "QueueMemberPause" or event.get("Paused") != "1":
        return
    if event.get("PausedReason", event.get("Reason")) != states.AUTOPAUSE:
        return
    if states.not_answered(event["Interface"], _moment(event)):
        log.info("%s did not answer: paused", event["Interface"])
        states.put_states_in_force(settings)


def _moment(event: dict[str, str]) -> dt.datetime:
    """When Asterisk told it: heard late, it is older than what the operator chose meanwhile."""
    if stamp := event.get("Timestamp"):
        return dt.datetime.fromtimestamp(float(stamp), dt.UTC)
    return clock.now()


def look(settings: Settings, asterisk: Connection) -> None:
    """Write down which trunks and phones can be reached, and how many calls are on each."""
    found = asterisk.listed("DeviceStateList", "DeviceStateListComplete")
    told = {state["Device"]: state["State"] for state in found}
    used = [channel.endpoint for channel in Lines(asterisk).channels]
    phones = {user.extension: user.login for user in staff.with_phone()}
    names = [(t.name, "trunk") for t in plan.current(settings).trunks if t.kind == "sip"]
    names += [(extension, "phone") for extension in phones]
    changed = devices.see(
        Seen(name, kind, told.get(f"PJSIP/{name}", "INVALID") not in _OFF, used.count(name))
        for name, kind in names
    )
    if logins := [phones[name] for name in changed if name in phones]:
        with writing():  # what a phone does shows on its operator's page, in the ledger or not
            live.publish(*(f"operator:{login}" for login in logins))
