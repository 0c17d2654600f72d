"""Operators who register one appeal after the other, each through the pages and the front.

`python -m tests.rig.trials.registering FOLDER FILE OPERATORS PAUSE` does that until it is
terminated, and writes for each save when it began, how long it took, and the status of the answer.
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
from tests.rig.trials import child_process
from tests.rig.trials.screen import new_session, sign_in

PAUSE_SECONDS = 4.0  # between two saves of one operator, who speaks with a caller in the meantime
_CSRF_TOKEN = re.compile(r'<meta name="csrf-token" content="([^"]+)"')


@dataclass
class SaveTimes:
    """Milliseconds of each successful save, and the statuses of the others."""

    durations_ms: list[float] = field(default_factory=list)
    refused_statuses: list[int] = field(default_factory=list)  # statuses; 0: no answer
    elapsed: float = 1.0  # from the first save to the last

    @property
    def quantiles(self) -> tuple[float, float, float]:
        """The median, the 95th percentile and the maximum in milliseconds."""
        ordered = sorted(self.durations_ms) or [0.0]
        return statistics.median(ordered), ordered[int(0.95 * len(ordered))], ordered[-1]

    @property
    def failure_count(self) -> int:
        """The number of saves answered by a 5xx, or not at all."""
        return sum(status >= 500 or not status for status in self.refused_statuses)

    @property
    def saves_per_second(self) -> float:
        """Successful saves a second."""
        return len(self.durations_ms) / self.elapsed

    def as_line(self, name: str) -> tuple[str, ...]:
        """The cells of a table."""
        failures = self.failure_count
        figures = (f"{milliseconds:.0f}" for milliseconds in self.quantiles)
        error_counts = (str(failures), str(len(self.refused_statuses) - failures))
        return (
            name,
            str(len(self.durations_ms)),
            f"{self.saves_per_second:.1f}",
            *figures,
            *error_counts,
        )


SAVES_HEAD = (
    "saves",
    "how many",
    "a second",
    "median, ms",
    "95 %, ms",
    "longest, ms",
    "5xx",
    "else",
)


@contextlib.asynccontextmanager
async def running_operators(
    place: Place, operators: int, pause: float = PAUSE_SECONDS
) -> AsyncIterator[Path]:
    """Let `operators` operators register in the meantime; yields the file of the results."""
    file = place.folder / "saves.jsonl"
    file.write_text("", "utf-8")
    async with child_process.running_module(
        "tests.rig.trials.registering", place.folder, file, operators, pause
    ):
        yield file


def read_saves(file: Path, since: float = 0.0, until: float = float("inf")) -> SaveTimes:
    """The saves in the file that began between two times."""
    saves, times = SaveTimes(), []
    for line in file.read_text("utf-8").splitlines():
        started_at, milliseconds, status = json.loads(line)
        if since <= started_at <= until:
            times.append(started_at)
            saves.durations_ms.append(
                milliseconds
            ) if status == 200 else saves.refused_statuses.append(status)
    if len(times) > 1:
        saves.elapsed = max(times) - min(times)
    return saves


def register_appeals(place: Place, result_file: Path, operators: int, pause: float) -> None:
    """Act as the operators until terminated.

    They start one after the other within the first pause.
    """
    accounts = json.loads(place.description_file.read_text("utf-8"))["operators"][:operators]
    with result_file.open("w", encoding="utf-8") as file:
        desks = [
            threading.Thread(
                target=_run_desk, args=(place, account, session, pause, file), daemon=True
            )
            for account, session in [
                (account, _signed_in_session(place, account)) for account in accounts
            ]
        ]
        for desk in desks:
            desk.start()
            time.sleep(pause / len(desks))
        for desk in desks:
            desk.join()


def _signed_in_session(place: Place, user: dict[str, Any]) -> requests.Session:
    """A session of the operator; all have one before the first of them registers anything."""
    session = new_session(place)
    while True:  # many sign in from one address during calls: some are asked to try again
        with contextlib.suppress(OSError):
            sign_in(session, place.pages_url, user)
            break
        time.sleep(1)
    match = _CSRF_TOKEN.search(session.get(f"{place.pages_url}/operator").text)
    assert match  # every page has it
    session.headers.update({"X-CSRFToken": match[1], "Referer": f"{place.pages_url}/operator"})
    return session


def _run_desk(
    place: Place, user: dict[str, Any], session: requests.Session, pause: float, file: IO[str]
) -> None:
    for number in range(10**9):
        response = session.get(f"{place.pages_url}/operator/forms/new", allow_redirects=False)
        form = response.headers.get("Location", "")
        started_at, status = time.time(), 0
        with contextlib.suppress(OSError):
            values = {"surname": f"Sinov {user['login']}", "gist": f"Murojaat {number}"}
            status = session.post(
                f"{place.pages_url}{form}/register", json={"values": values}
            ).status_code
        milliseconds = 1000 * (time.time() - started_at)
        file.write(json.dumps([started_at, milliseconds, status]) + "\n")
        file.flush()
        time.sleep(pause)


if __name__ == "__main__":
    register_appeals(
        Place(Path(sys.argv[1])), Path(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
    )
