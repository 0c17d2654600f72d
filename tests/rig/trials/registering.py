"""Operators who register one appeal after the other, each by the pages, through the front.

`python -m tests.rig.trials.registering FOLDER FILE OPERATORS PAUSE` does so until it is ended, and
writes of each save when it began, how long it took, and what the site answered.
"""

import contextlib
import json
import re
import statistics
import sys
import threading
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import requests

from provisioning.local.place import Place
from tests.rig.trials import apart
from tests.rig.trials.screen import new_session, sign_in

PAUSE = 4.0  # seconds between two saves of one operator, who speaks with somebody meanwhile
_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')


@dataclass
class Saves:
    """Milliseconds of each save that was answered, and what came of the others."""

    took: list[float] = field(default_factory=list)
    refused: list[int] = field(default_factory=list)  # statuses; 0: no answer
    lasted: float = 1.0  # seconds from the first to the last

    @property
    def spread(self) -> tuple[float, float, float]:
        """Of them the median, what 95 of a hundred took at most, the longest."""
        ordered = sorted(self.took) or [0.0]
        return statistics.median(ordered), ordered[int(0.95 * len(ordered))], ordered[-1]

    @property
    def failed(self) -> int:
        """How many were answered by a 5xx, or not at all."""
        return sum(status >= 500 or not status for status in self.refused)

    @property
    def rate(self) -> float:
        """Answered in a second."""
        return len(self.took) / self.lasted

    def line(self, name: str) -> tuple[str, ...]:
        """For a table."""
        failed = self.failed
        figures = (f"{one:.0f}" for one in self.spread)
        others = (str(failed), str(len(self.refused) - failed))
        return (name, str(len(self.took)), f"{self.rate:.1f}", *figures, *others)


HEAD = ("saves", "how many", "a second", "median, ms", "95 %, ms", "longest, ms", "5xx", "else")


@contextlib.asynccontextmanager
async def going_on(place: Place, operators: int, pause: float = PAUSE) -> AsyncIterator[Path]:
    """So many operators register meanwhile; gives the file of what they saw."""
    file = place.folder / "saves.jsonl"
    file.write_text("", "utf-8")
    async with apart.running("tests.rig.trials.registering", place.folder, file, operators, pause):
        yield file


def seen(file: Path, since: float = 0.0, until: float = float("inf")) -> Saves:
    """What the file tells of the saves that began between two moments."""
    found, moments = Saves(), []
    for line in file.read_text("utf-8").splitlines():
        at, took, status = json.loads(line)
        if since <= at <= until:
            moments.append(at)
            found.took.append(took) if status == 200 else found.refused.append(status)
    if len(moments) > 1:
        found.lasted = max(moments) - min(moments)
    return found


def register(place: Place, told: Path, operators: int, pause: float) -> None:
    """Be the operators until terminated; within the first pause they begin one after the other."""
    facts = json.loads(place.description.read_text("utf-8"))["operators"][:operators]
    with told.open("w", encoding="utf-8") as file:
        desks = [
            threading.Thread(target=_desk, args=(place, one, session, pause, file), daemon=True)
            for one, session in [(one, _signed_in(place, one)) for one in facts]
        ]
        for desk in desks:
            desk.start()
            time.sleep(pause / len(desks))
        for desk in desks:
            desk.join()


def _signed_in(place: Place, user: dict[str, Any]) -> requests.Session:
    """A session of the operator's; all have one before the first of them registers anything."""
    session = new_session(place)
    while True:  # many from one address, while calls go on: some are told to come again
        with contextlib.suppress(OSError):
            sign_in(session, place.url, user)
            break
        time.sleep(1)
    found = _TOKEN.search(session.get(f"{place.url}/operator").text)
    assert found  # every page has it
    session.headers.update({"X-CSRFToken": found[1], "Referer": f"{place.url}/operator"})
    return session


def _desk(
    place: Place, user: dict[str, Any], session: requests.Session, pause: float, file: IO[str]
) -> None:
    for number in range(10**9):
        new = session.get(f"{place.url}/operator/forms/new", allow_redirects=False)
        form = new.headers.get("Location", "")
        began, status = time.time(), 0
        with contextlib.suppress(OSError):
            values = {"surname": f"Sinov {user['login']}", "gist": f"Murojaat {number}"}
            status = session.post(
                f"{place.url}{form}/register", json={"values": values}
            ).status_code
        took = 1000 * (time.time() - began)
        file.write(json.dumps([began, took, status]) + "\n")
        file.flush()
        time.sleep(pause)


if __name__ == "__main__":
    register(Place(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4]))
