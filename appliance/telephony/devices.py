"""Trunks and phones as Asterisk saw them last."""

from collections.abc import Iterable
from dataclasses import dataclass

from appliance.core import clock, live
from appliance.core.db import writing
from appliance.core.statements import Question, row_with
from appliance.models import Device

TOPIC = "devices"
_ALL = Question(Device.select)


@dataclass(frozen=True)
class Seen:
    """One trunk or phone at one moment."""

    name: str
    kind: str  # trunk | phone
    up: bool
    channels: int


def trunks() -> list[Device]:
    """Every trunk that was seen, by name."""
    return list(Device.select().where(Device.kind == "trunk").order_by(Device.name))


def phones() -> dict[str, Device]:
    """Extension → phone, of those that were seen."""
    return {phone.name: phone for phone in Device.select().where(Device.kind == "phone")}


def phone(extension: str) -> Device | None:
    """The phone of an extension; None when it was never seen."""
    return row_with(Device, kind="phone", name=extension)


def see(devices: Iterable[Seen]) -> dict[str, bool]:
    """Write down what changed since the last look; what is gone goes.

    Returns their names, and of each whether no more changed than how many calls are on it.
    """
    seen = {device.name: device for device in devices}
    known = {device.name: device for device in _ALL.rows()}
    changed = [d for d in seen.values() if not _same(d, known.get(d.name))]
    gone = known.keys() - seen.keys()
    if not changed and not gone:
        return {}
    now, stayed = clock.now(), dict.fromkeys(gone, False)
    with writing():
        for device in changed:
            former = known.get(device.name)
            stayed[device.name] = bool(former and former.up == device.up)
            Device.replace(
                name=device.name,
                kind=device.kind,
                up=device.up,
                channels=device.channels,
                since=former.since if former and former.up == device.up else now,
            ).execute()
        Device.delete().where(Device.name.in_(list(gone))).execute()
        live.publish(TOPIC)
    return stayed


def _same(device: Seen, known: Device | None) -> bool:
    return bool(known and known.up == device.up and known.channels == device.channels)
