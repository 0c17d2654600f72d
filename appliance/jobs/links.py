"""Repeated probes of the network links."""

import logging
import threading
from dataclasses import dataclass, field

from appliance.box.links import intervals, parties, probing
from appliance.box.links.intervals import ContraryLooks
from appliance.core.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class LinkMonitor:
    """Probes the links, and remembers which probes in a row contradict a link's recorded state."""

    settings: Settings
    contradictions: dict[str, ContraryLooks] = field(default_factory=dict)

    def probe_links(self) -> None:
        """Probe each link once, and record what changed."""
        probes = probing.look_at_parties(parties.watched_parties(self.settings))
        allowed_probes = {
            name: probe for name, probe in probes.items() if probe.seen != "not_allowed"
        }
        for name in intervals.record_looks(allowed_probes, self.contradictions):
            log.warning("link %s: %s", name, allowed_probes[name].seen)

    def run_probes(self, stop: threading.Event) -> None:
        """Probe the links until `stop` is set."""
        while not stop.is_set():
            try:
                self.probe_links()
            except Exception:  # the boundary of a thread
                log.exception("the links were not looked at")
            stop.wait(self.settings.links.every)
