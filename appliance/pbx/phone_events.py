"""What Asterisk tells of phones and trunks while it runs: a phone that nobody took up is paused, a
page that comes in place of another gets its talk."""

import logging

from appliance.core import live
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.pbx.actions import resuming, states
from appliance.pbx.actions.lines import Lines
from appliance.pbx.ami import Connection, moment_of
from appliance.people import accounts
from appliance.telephony import devices, routing
from appliance.telephony.devices import Seen

log = logging.getLogger(__name__)

EVENTS = "agent,call,system"  # classes of AMI that hold the events heard here
HEARD = ("ContactStatus", "QueueMemberPause")
_OFF = ("UNAVAILABLE", "INVALID")


def handle(settings: Settings, event: dict[str, str]) -> None:
    """Take in one event. Raises Unreachable.

    A member of a queue that Asterisk paused becomes an operator's pause; what the former page of a
    phone still holds is let go when a new one registers.
    """
    if event.get("Event") == "ContactStatus" and event.get("ContactStatus") != "Removed":
        if resuming.resume(settings, event.get("AOR", "")):
            log.info("%s has a new page: its talk is brought back", event["AOR"])
        return
    if event.get("Event") != "QueueMemberPause" or event.get("Paused") != "1":
        return
    if event.get("PausedReason", event.get("Reason")) != states.AUTOPAUSE:
        return
    if states.not_answered(event["Interface"], moment_of(event)):
        log.info("%s did not answer: paused", event["Interface"])
        states.put_states_in_force(settings)


def look(settings: Settings, asterisk: Connection) -> None:
    """Write down which trunks and phones can be reached, and how many calls are on each."""
    found = asterisk.listed("DeviceStateList", "DeviceStateListComplete")
    told = {state["Device"]: state["State"] for state in found}
    used = [channel.endpoint for channel in Lines(asterisk).channels]
    phones = {user.extension: user.login for user in accounts.with_phone()}
    names = [(t.name, "trunk") for t in routing.current(settings).trunks if t.kind == "sip"]
    names += [(extension, "phone") for extension in phones]
    changed = devices.see(
        Seen(name, kind, told.get(f"PJSIP/{name}", "INVALID") not in _OFF, used.count(name))
        for name, kind in names
    )
    if logins := [phones[name] for name in changed if name in phones]:
        with writing():  # what a phone does shows on its operator's page, in the ledger or not
            live.publish(*(f"call:{login}" for login in logins))
