"""Snapshots and drills when they are due or asked for: in a thread, for they take long."""

import datetime as dt
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass

from appliance import runs, snapshots
from appliance.jobs.due import Job, run_due
from appliance.settings import Settings
from appliance.snapshots import SnapshotError
from appliance.snapshots import log as wishes

log = logging.getLogger(__name__)

DRILL = dt.time(2, 30)  # on the first day of a month


@dataclass(frozen=True)
class Keeper:
    """Makes, verifies and tries out the snapshots of a site."""

    settings: Settings

    def follow(self, stop: threading.Event, every: float = 5.0) -> None:
        """Do what is due or asked for, until `stop`."""
        while not stop.wait(every):
            for job in jobs(self.settings):
                if not stop.is_set():
                    run_due(job)
            try:
                self.do_asked()
            except SnapshotError as error:
                log.warning("%s", error)
            except Exception:  # the boundary of a thread
                log.exception("what was asked for failed")

    def do_asked(self) -> bool:
        """Do the oldest thing asked for on the page; whether there was one."""
        wish = wishes.claim()
        if wish is None:
            return False
        name = wish.repository or None
        doing: dict[str, Callable[[], object]] = {
            "create": lambda: snapshots.create(self.settings, name, wish.by),
            "verify": lambda: snapshots.verify(
                self.settings, wish.snapshot or "latest", name, wish.by
            ),
            "drill": lambda: snapshots.drill(self.settings, name, wish.by),
        }
        doing[wish.kind]()
        return True


def jobs(settings: Settings) -> list[Job]:
    """The nightly snapshot, and the monthly drill."""
    night = dt.time.fromisoformat(settings.snapshots.at)
    return [
        Job("snapshot", runs.daily(night, settings.tz), lambda: _create(settings), False),
        Job("drill", runs.monthly(DRILL, settings.tz), lambda: _drill(settings), False),
    ]


def _create(settings: Settings) -> str:
    made = snapshots.create(settings, by="jobs")
    return ", ".join(f"{one.snapshot.repository} {one.snapshot.id}" for one in made)


def _drill(settings: Settings) -> str:
    restored = snapshots.drill(settings, by="jobs")
    return f"{restored.snapshot}: {restored.counts}"
