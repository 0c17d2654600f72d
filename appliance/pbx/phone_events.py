"""Handles events of phones and trunks: pauses operators who do not answer, resumes lost talks.

It also tracks which phones and trunks are reachable.
"""

import logging
import math
import time
from collections import Counter

from appliance.core import live
from appliance.core.db import write_transaction
from appliance.core.settings import Settings
from appliance.pbx import actions
from appliance.pbx.actions import Channel, states
from appliance.pbx.ami import Connection, event_time
from appliance.people import accounts
from appliance.telephony import calls, devices, routing
from appliance.telephony.devices import DeviceState

log = logging.getLogger(__name__)

EVENT_CLASSES = "agent,call,system"  # the AMI classes of the events handled here
EVENT_NAMES = ("ContactStatus", "QueueMemberPause", "Newchannel", "Hangup", "Rename")
_OFFLINE_STATES = ("UNAVAILABLE", "INVALID")
_LIST_SECONDS = 10.0  # between two queries of all devices and channels
_WRITE_INTERVAL_SECONDS = 1.0  # changes within it are written together
_SETTLING_SECONDS = 3.0  # time after a phone came or went, in which its state may still change


def resume_talk_or_pause_operator(settings: Settings, event: dict[str, str]) -> None:
    """Resume the talk of a reloaded browser phone, or pause an operator who did not answer.

    If a browser phone registers from a new page, the channels that its lost page has left are hung
    up, so that the dialplan reconnects the caller. If Asterisk paused a queue member because its
    phone was not answered, its operator gets a pause. Other events have no effect. Raises
    Unreachable if Asterisk does not answer.
    """
    if event.get("Event") == "ContactStatus" and event.get("ContactStatus") != "Removed":
        if actions.resume_talk(settings, event.get("AOR", "")):
            log.info("%s has a new page: its talk is brought back", event["AOR"])
        return
    if event.get("Event") != "QueueMemberPause" or event.get("Paused") != "1":
        return
    if event.get("PausedReason", event.get("Reason")) != states.AUTOPAUSE:
        return
    if states.pause_unanswered_phone(event["Interface"], event_time(event)):
        log.info("%s did not answer: paused", event["Interface"])
        actions.apply_states(settings)


class PhoneMonitor:
    """Stores in the database which trunks and phones are reachable and how many calls each has.

    Devices and channels are queried at intervals, and at once when a phone or a trunk came or went;
    in between, Asterisk reports each channel. When a phone's call ends, this is stored at once,
    before the ledger has the end: the page that the ledger then notifies finds the phone free. When
    a call begins, the ledger is first, and its notice reaches the page; the number of calls is then
    stored within a second, without a second notice.
    """

    def __init__(self) -> None:
        self._login_by_extension: dict[str, str] = {}
        self._kind_by_device: dict[str, str] = {}  # phone | trunk, by extension or trunk's name
        self._reachable: set[str] = set()  # devices, by the same names
        self._endpoint_by_channel: dict[str, str] = {}  # by uniqueid
        self._next_list = self._next_write = 0.0  # when due, by the monotonic clock
        self._settling_until = 0.0  # until then the states are listed more often

    def track_event(self, event: dict[str, str]) -> None:
        """Note that a channel began or ended, or that all devices must be queried again.

        Events of other kinds have no effect.
        """
        now, event_name = time.monotonic(), event.get("Event")
        if event_name in ("ContactStatus", "Rename"):
            # its effect appears a little later
            self._next_list, self._settling_until = now, now + _SETTLING_SECONDS
        elif event_name == "Newchannel":
            self._endpoint_by_channel[event["Uniqueid"]] = Channel.endpoint_of(event["Channel"])
            self._next_write = min(self._next_write, now + _WRITE_INTERVAL_SECONDS)
        elif event_name == "Hangup" and (
            owner := self._endpoint_by_channel.pop(event["Uniqueid"], "")
        ):
            self._next_write = min(
                self._next_write,
                now + (0.0 if owner in self._login_by_extension else _WRITE_INTERVAL_SECONDS),
            )

    def update_devices(self, settings: Settings, asterisk: Connection) -> None:
        """Query the devices if this is due; then, or if a change is to be stored, store the states.

        Raises Unreachable if Asterisk does not answer, ActionRefused if it refuses.
        """
        now = time.monotonic()
        if now >= self._next_list:
            self._list_devices(settings, asterisk)
            self._next_list = now + (
                _WRITE_INTERVAL_SECONDS if now < self._settling_until else _LIST_SECONDS
            )
        elif now < self._next_write:
            return
        self._store_device_states()
        self._next_write = math.inf

    def _list_devices(self, settings: Settings, asterisk: Connection) -> None:
        """Query which devices there are, which of them are reachable, and all channels."""
        self._login_by_extension = {
            user.extension: user.login for user in accounts.users_with_phone()
        }
        trunks = [
            trunk.name for trunk in routing.current_plan(settings).trunks if trunk.kind == "sip"
        ]
        self._kind_by_device = dict.fromkeys(trunks, "trunk") | dict.fromkeys(
            self._login_by_extension, "phone"
        )
        state_by_device = {
            state["Device"].partition("/")[2]: state["State"]
            for state in asterisk.list_events("DeviceStateList", "DeviceStateListComplete")
            if state["Device"].startswith("PJSIP/")
        }
        self._reachable = {
            name
            for name in self._kind_by_device
            if state_by_device.get(name, "INVALID") not in _OFFLINE_STATES
        }
        self._endpoint_by_channel = {
            event["Uniqueid"]: Channel.endpoint_of(event["Channel"])
            for event in asterisk.list_events("CoreShowChannels", "CoreShowChannelsComplete")
        }

    def _store_device_states(self) -> None:
        """Store the state of each device, and notify the pages of operators whose phone changed.

        A page is not notified of a mere change of the number of calls while the ledger contains the
        operator's call: the ledger notifies it.
        """
        channel_counts = Counter(self._endpoint_by_channel.values())
        changed_devices = devices.store_states(
            DeviceState(name, kind, name in self._reachable, channel_counts[name])
            for name, kind in self._kind_by_device.items()
        )
        if logins := [
            login
            for name, only_count_changed in changed_devices.items()
            if (login := self._login_by_extension.get(name))
            and not (only_count_changed and calls.current_call(login))
        ]:
            with (
                write_transaction()
            ):  # the operator's page shows the phone's state, in the ledger or not
                live.publish_topics(*(f"call:{login}" for login in logins))
