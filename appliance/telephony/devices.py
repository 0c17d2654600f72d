"""Trunks and phones in the state that Asterisk last reported."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.core import clock, live
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, find_row
from appliance.models import Device

DEVICES_TOPIC = "devices"
_ALL_DEVICES = PreparedQuery(Device.select)


@dataclass(frozen=True)
class DeviceState:
    """The state of one trunk or phone at one time."""

    name: str
    kind: str  # trunk | phone
    up: bool
    channels: int


def list_trunks() -> list[Device]:
    """Every trunk that Asterisk has reported, by name."""
    return list(Device.select().where(Device.kind == "trunk").order_by(Device.name))


def phones_by_extension() -> dict[str, Device]:
    """Return the phones that Asterisk has reported, by extension."""
    return {phone.name: phone for phone in Device.select().where(Device.kind == "phone")}


def find_phone(extension: str) -> Device | None:
    """The phone of an extension, if Asterisk ever reported it."""
    return find_row(Device, kind="phone", name=extension)


def store_states(states: Iterable[DeviceState]) -> dict[str, bool]:
    """Store the states that differ from the stored ones; delete devices that are missing.

    Returns the names of the changed and deleted devices, each with True if only the number of calls
    on it changed.
    """
    current = {state.name: state for state in states}
    stored = {state.name: state for state in _ALL_DEVICES.fetch_objects()}
    changed_states = [
        state for state in current.values() if not _is_unchanged(state, stored.get(state.name))
    ]
    removed_names = stored.keys() - current.keys()
    if not changed_states and not removed_names:
        return {}
    now, only_calls_changed = clock.now(), dict.fromkeys(removed_names, False)
    with write_transaction():
        for state in changed_states:
            previous = stored.get(state.name)
            only_calls_changed[state.name] = bool(previous and previous.up == state.up)
            Device.replace(
                name=state.name,
                kind=state.kind,
                up=state.up,
                channels=state.channels,
                since=previous.since if previous and previous.up == state.up else now,
            ).execute()
        Device.delete().where(Device.name.in_(list(removed_names))).execute()
        live.publish_topics(DEVICES_TOPIC)
    return only_calls_changed


def _is_unchanged(state: DeviceState, stored: Device | None) -> bool:
    """Returns True if the stored state is the same."""
    return bool(stored and stored.up == state.up and stored.channels == state.channels)
