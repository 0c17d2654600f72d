"""Whether the running Asterisk has all that it was given to run with: modules, queues."""

import re
import time

from appliance.core import clock
from appliance.core.db import writing
from appliance.core.settings import Settings
from appliance.models import ExchangeLook
from appliance.pbx.ami import Connection, Refused
from appliance.people import accounts
from appliance.telephony import routing

_EVERY = 10.0  # seconds between two looks
_LOADED = re.compile(r"^load = (\S+)$", re.MULTILINE)


class Inspection:
    """Asks Asterisk for each module and each queue, now and then."""

    def __init__(self) -> None:
        self._due = 0.0

    def look(self, settings: Settings, asterisk: Connection) -> None:
        """Look when it is time to, and write down what is missing."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + _EVERY
        found = {
            "modules": [name for name in _configured(settings) if not _runs(asterisk, name)],
            "queues": _missing_queues(settings, asterisk),
        }
        now = clock.now()
        with writing():
            for name, missing in found.items():
                ExchangeLook.replace(name=name, missing=missing, at=now).execute()


def _configured(settings: Settings) -> list[str]:
    """The modules that Asterisk's configuration names; none while it is not written."""
    file = settings.paths.asterisk / "modules.conf"
    return _LOADED.findall(file.read_text("utf-8")) if file.exists() else []


def _runs(asterisk: Connection, module: str) -> bool:
    try:
        asterisk.act("ModuleCheck", Module=module)
    except Refused:
        return False
    return True


def _missing_queues(settings: Settings, asterisk: Connection) -> list[str]:
    current = routing.current(settings)
    expected = [
        *routing.shared(current),
        *(routing.own(one.extension) for one in accounts.operators()),
    ]
    try:
        told = asterisk.listed("QueueSummary", "QueueSummaryComplete")
    except Refused:  # the module of queues is not there
        return expected
    there = {event.get("Queue") for event in told}
    return [name for name in expected if name not in there]
