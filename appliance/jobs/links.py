"""Looks at the links, again and again."""

import logging
import threading
from dataclasses import dataclass, field

from appliance.box import links
from appliance.box.links import looking
from appliance.box.links.intervals import Contrary
from appliance.core.settings import Settings

log = logging.getLogger(__name__)


@dataclass
class Watcher:
    """Remembers from look to look what speaks against the state that is written down."""

    settings: Settings
    contrary: dict[str, Contrary] = field(default_factory=dict)

    def step(self) -> None:
        """One look at each link."""
        looked = looking.look(links.watched(self.settings))
        seen = {name: look for name, look in looked.items() if look.seen != "not_allowed"}
        for name in links.observe(seen, self.contrary):
            log.warning("link %s: %s", name, seen[name].seen)

    def follow(self, stop: threading.Event) -> None:
        """Look until told to stop."""
        while not stop.is_set():
            try:
                self.step()
            except Exception:  # the boundary of a thread
                log.exception("the links were not looked at")
            stop.wait(self.settings.links.every)
