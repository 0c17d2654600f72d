"""How late a page shows what Asterisk has logged: read by a process of its own, as a browser would.

`python -m tests.rig.trials.screen FOLDER FILE` signs in to the site in that folder, holds
the page's event stream, fetches the list of calls whenever it changed, and writes what it sees.
"""

import contextlib
import json
import re
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urljoin

import requests

from provisioning.local.place import Place
from tests.rig.trials import apart
from tests.rig.trials.stories import Stories

PACE = 0.1  # seconds between two fetches (floor/calls.html)
AGAIN = 5.0  # seconds between two tries to sign in
WANTED = 0.3  # seconds from Asterisk's log to the screen
STEPS = ("arrives", "rings", "ends")
_ROW = re.compile(r'<tr id="live-([^"]+)">.*?</tr>', re.S)
_CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.S)
NOBODY = "–"
_WITH = 3  # the cell that names who rings or speaks


@dataclass
class Lags:
    """Seconds from a record's stamp to the page that shows it, by step."""

    seconds: dict[str, list[float]] = field(default_factory=lambda: {step: [] for step in STEPS})

    def lines(self) -> Iterator[tuple[str, ...]]:
        """For a table."""
        for step, all_ in self.seconds.items():
            if len(all_) < 2:
                yield (step, str(len(all_)), "-", "-", "-", "-")
                continue
            part = statistics.quantiles(all_, n=20, method="inclusive")
            late = sum(one > WANTED for one in all_)
            figures = (statistics.median(all_), part[18], max(all_))
            yield (step, str(len(all_)), *(f"{one * 1000:.0f}" for one in figures), str(late))


HEAD = ("log to screen", "seen", "median, ms", "95 %, ms", "longest, ms", f"over {WANTED} s")


@contextlib.asynccontextmanager
async def watched(place: Place) -> AsyncIterator[Path]:
    """A page is open meanwhile; gives the file of what it shows."""
    file = place.folder / "screen.jsonl"
    file.unlink(missing_ok=True)
    async with apart.running("tests.rig.trials.screen", place.folder, file):
        yield file


def compare(stories: Stories, file: Path) -> Lags:
    """What the log tells of the calls of citizens, and when the page first showed it."""
    shown: dict[tuple[str, str], float] = {}
    for line in file.read_text("utf-8").splitlines():
        at, step, call = json.loads(line)
        shown.setdefault((step, call), at)
    opened = min(shown.values(), default=0.0)
    lags = Lags()
    for call, events in stories.events.items():
        if not any(event.begins == "from-trunk" for event in events):
            continue
        rung = (e for e in events if e.type == "CHAN_START" and e.is_phone and e.linkedid == call)
        over = (e for e in events if e.type == "HANGUP" and e.uniqueid == call)
        for step, event in zip(STEPS, (events[0], next(rung, None), next(over, None)), strict=True):
            seen = shown.get((step, call.replace(".", "-")))
            if event and seen and event.at.timestamp() > opened:
                lags.seconds[step].append(seen - event.at.timestamp())
    return lags


def watch(place: Place, told: Path) -> None:
    """Be the page until terminated."""
    facts = json.loads(place.description.read_text("utf-8"))
    session = new_session(place)
    stream = new_session(place)  # with a connection of its own
    while True:  # of many from one address some are told to come again
        with contextlib.suppress(OSError):
            sign_in(session, place.url, facts["users"]["supervisor"])
            break
        time.sleep(AGAIN)
    page = session.get(f"{place.url}/floor").text
    found = re.search(r'<meta name="live" content="([^"]+)"', page)
    assert found  # every page of a supervisor is live
    address = urljoin(place.url, found[1].replace("&amp;", "&"))
    stream.cookies = session.cookies
    rows: dict[str, str] = {}
    fetched = 0.0
    with told.open("w", encoding="utf-8") as file:
        for line in _heard(stream, address):
            if line != b"data: calls":
                continue
            time.sleep(max(0.0, fetched + PACE - time.monotonic()))
            fetched = time.monotonic()
            new = _rows(session.get(f"{place.url}/floor/calls").text)
            now = time.time()
            file.writelines(json.dumps([now, *one]) + "\n" for one in _changes(rows, new))
            file.flush()
            rows = new


def _heard(stream: requests.Session, address: str) -> Iterator[bytes]:
    """What the site tells; a stream that it ends is opened again, as a browser does."""
    while True:
        yield from stream.get(address, stream=True, timeout=30).iter_lines(chunk_size=1)


def new_session(place: Place) -> requests.Session:
    """Who trusts the site's certificate."""
    made = requests.Session()
    made.trust_env = False  # else the machine's certificates would count
    made.verify = str(place.folder / "tls" / "ca.pem")
    return made


def _rows(page: str) -> dict[str, str]:
    """Who rings or speaks, by call."""
    return {row[1]: _CELL.findall(row[0])[_WITH].strip() for row in _ROW.finditer(page)}


def _changes(rows: dict[str, str], new: dict[str, str]) -> Iterator[tuple[str, str]]:
    for call, who in new.items():
        if call not in rows:
            yield "arrives", call
        if who != NOBODY and rows.get(call, NOBODY) == NOBODY:
            yield "rings", call
    for call in rows.keys() - new.keys():
        yield "ends", call


def sign_in(session: requests.Session, url: str, user: dict[str, str]) -> None:
    """Sign a user in; raises HTTPError when it cannot."""
    page = session.get(f"{url}/login").text
    token = re.search(r'<meta name="csrf-token" content="([^"]+)"', page)
    assert token  # every page has it
    form = {"csrf_token": token[1], "login": user["login"], "password": user["password"]}
    session.post(f"{url}/login", form, headers={"Referer": f"{url}/login"}).raise_for_status()


if __name__ == "__main__":
    watch(Place(Path(sys.argv[1])), Path(sys.argv[2]))
