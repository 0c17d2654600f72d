"""What Asterisk tells of phones and trunks while it runs: a phone that nobody took up is paused, a
page that comes in place of another gets its talk."""

import logging
import math
import time
from collections import Counter

from appliance.core import live
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.pbx.actions import resuming, states
from appliance.pbx.actions.lines import Channel
from appliance.pbx.ami import Connection, moment_of
from appliance.people import accounts
from appliance.telephony import calls, devices, routing
from appliance.telephony.devices import Seen

log = logging.getLogger(__name__)

EVENTS = "agent,call,system"  # classes of AMI that hold the events heard here
HEARD = ("ContactStatus", "QueueMemberPause", "Newchannel", "Hangup", "Rename")
_OFF = ("UNAVAILABLE", "INVALID")
_EVERY = 10.0  # seconds between two lists of everything
_PACE = 1.0  # seconds in which what changes is written down together
_SETTLES = 3.0  # seconds after a phone came or went in which its state may still change


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


class Phones:
    """Which trunks and phones can be reached, and how many calls are on each, for the database.

    All is listed now and then, and at once when a phone or a trunk came or went; in between
    Asterisk tells of each channel. A phone's end of a call is written down before the ledger hears
    of it, and a beginning after: so a page that is told by the ledger sees both at once.
    """

    def __init__(self) -> None:
        self._phones: dict[str, str] = {}  # extension → login
        self._kinds: dict[str, str] = {}
        self._up: set[str] = set()
        self._channels: dict[str, str] = {}  # uniqueid → endpoint
        self._list_at = self._write_at = 0.0
        self._restless = 0.0  # until then all is listed at each look

    def hear(self, event: dict[str, str]) -> None:
        """Take in one event."""
        now, kind = time.monotonic(), event.get("Event")
        if kind in ("ContactStatus", "Rename"):
            # what it means shows a moment later
            self._list_at, self._restless = now, now + _SETTLES
        elif kind == "Newchannel":
            self._channels[event["Uniqueid"]] = Channel.owner(event["Channel"])
            self._write_at = min(self._write_at, now + _PACE)
        elif kind == "Hangup" and (owner := self._channels.pop(event["Uniqueid"], "")):
            self._write_at = min(self._write_at, now + (0.0 if owner in self._phones else _PACE))

    def look(self, settings: Settings, asterisk: Connection) -> None:
        """List and write down what it is time for. Raises Unreachable, Refused."""
        now = time.monotonic()
        if now >= self._list_at:
            self._list(settings, asterisk)
            self._list_at = now + (_PACE if now < self._restless else _EVERY)
        elif now < self._write_at:
            return
        self._write_down()
        self._write_at = math.inf

    def _list(self, settings: Settings, asterisk: Connection) -> None:
        self._phones = {user.extension: user.login for user in accounts.with_phone()}
        trunks = [t.name for t in routing.current(settings).trunks if t.kind == "sip"]
        self._kinds = dict.fromkeys(trunks, "trunk") | dict.fromkeys(self._phones, "phone")
        told = {
            state["Device"].partition("/")[2]: state["State"]
            for state in asterisk.listed("DeviceStateList", "DeviceStateListComplete")
            if state["Device"].startswith("PJSIP/")
        }
        self._up = {name for name in self._kinds if told.get(name, "INVALID") not in _OFF}
        self._channels = {
            event["Uniqueid"]: Channel.owner(event["Channel"])
            for event in asterisk.listed("CoreShowChannels", "CoreShowChannelsComplete")
        }

    def _write_down(self) -> None:
        used = Counter(self._channels.values())
        changed = devices.see(
            Seen(name, kind, name in self._up, used[name]) for name, kind in self._kinds.items()
        )
        if told := [
            login
            for name, stayed in changed.items()
            if (login := self._phones.get(name)) and not (stayed and calls.of_operator(login))
        ]:
            with writing():  # what a phone does shows on its operator's page, in the ledger or not
                live.publish(*(f"call:{login}" for login in told))
