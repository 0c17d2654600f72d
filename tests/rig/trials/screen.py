"""How late a page shows what Asterisk has logged, read by a separate process as a browser would.

`python -m tests.rig.trials.screen FOLDER FILE` signs in to the site in that folder, follows the
page's event stream, fetches the list of calls whenever it changed, and writes the changes.
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
from tests.rig.trials import child_process
from tests.rig.trials.log_reader import EventLogReader

FETCH_INTERVAL_SECONDS = 0.1  # between two fetches (floor/calls.html)
SIGN_IN_INTERVAL_SECONDS = 5.0  # between two tries to sign in
MAX_LAG_SECONDS = 0.3  # from Asterisk's log to the screen
CALL_STEPS = ("arrives", "rings", "ends")
_CALL_ROW = re.compile(r'<tr id="live-([^"]+)">.*?</tr>', re.S)
_TABLE_CELL = re.compile(r"<td[^>]*>(.*?)</td>", re.S)
NOBODY_MARK = "–"
_PARTY_CELL = 3  # the cell with the party that rings or speaks


@dataclass
class ScreenLags:
    """Seconds from a record's stamp to the page that shows it, by step."""

    seconds: dict[str, list[float]] = field(
        default_factory=lambda: {step: [] for step in CALL_STEPS}
    )

    def as_lines(self) -> Iterator[tuple[str, ...]]:
        """The lines of a table."""
        for step, step_lags in self.seconds.items():
            if len(step_lags) < 2:
                yield (step, str(len(step_lags)), "-", "-", "-", "-")
                continue
            quantiles = statistics.quantiles(step_lags, n=20, method="inclusive")
            late = sum(lag > MAX_LAG_SECONDS for lag in step_lags)
            figures = (statistics.median(step_lags), quantiles[18], max(step_lags))
            yield (step, str(len(step_lags)), *(f"{lag * 1000:.0f}" for lag in figures), str(late))


LAGS_HEAD = (
    "log to screen",
    "seen",
    "median, ms",
    "95 %, ms",
    "longest, ms",
    f"over {MAX_LAG_SECONDS} s",
)


@contextlib.asynccontextmanager
async def watching_page(place: Place) -> AsyncIterator[Path]:
    """Keep a page open in the meantime; yields the file of the changes that it shows."""
    file = place.folder / "screen.jsonl"
    file.unlink(missing_ok=True)
    async with child_process.running_module("tests.rig.trials.screen", place.folder, file):
        yield file


def measure_lags(stories: EventLogReader, file: Path) -> ScreenLags:
    """Compare the log's events of citizens' calls with the times at which the page shows them."""
    first_shown: dict[tuple[str, str], float] = {}
    for line in file.read_text("utf-8").splitlines():
        second, step, call = json.loads(line)
        first_shown.setdefault((step, call), second)
    opened = min(first_shown.values(), default=0.0)
    lags = ScreenLags()
    for call, events in stories.events.items():
        if not any(event.begins == "from-trunk" for event in events):
            continue
        ringing_legs = (
            e for e in events if e.type == "CHAN_START" and e.is_phone and e.linkedid == call
        )
        hang_ups = (e for e in events if e.type == "HANGUP" and e.uniqueid == call)
        for step, event in zip(
            CALL_STEPS, (events[0], next(ringing_legs, None), next(hang_ups, None)), strict=True
        ):
            shown_at = first_shown.get((step, call.replace(".", "-")))
            if event and shown_at and event.at.timestamp() > opened:
                lags.seconds[step].append(shown_at - event.at.timestamp())
    return lags


def watch_page(place: Place, result_file: Path) -> None:
    """Act as the page until terminated."""
    description = json.loads(place.description_file.read_text("utf-8"))
    session = new_session(place)
    stream = new_session(place)  # with its own connection
    while True:  # of many sign-ins from one address some are asked to try again
        with contextlib.suppress(OSError):
            sign_in(session, place.pages_url, description["users"]["supervisor"])
            break
        time.sleep(SIGN_IN_INTERVAL_SECONDS)
    page = session.get(f"{place.pages_url}/floor").text
    match = re.search(r'<meta name="live" content="([^"]+)"', page)
    assert match  # every page of a supervisor is live
    address = urljoin(place.pages_url, match[1].replace("&amp;", "&"))
    stream.cookies = session.cookies
    rows: dict[str, str] = {}
    fetched = 0.0
    with result_file.open("w", encoding="utf-8") as file:
        for line in _stream_lines(stream, address):
            if line != b"data: calls":
                continue
            time.sleep(max(0.0, fetched + FETCH_INTERVAL_SECONDS - time.monotonic()))
            fetched = time.monotonic()
            new_rows = _calls_on_page(session.get(f"{place.pages_url}/floor/calls").text)
            now = time.time()
            file.writelines(
                json.dumps([now, *change]) + "\n" for change in _row_changes(rows, new_rows)
            )
            file.flush()
            rows = new_rows


def _stream_lines(stream: requests.Session, address: str) -> Iterator[bytes]:
    """The lines that the site sends; a stream that it ends is opened again, as a browser does."""
    while True:
        yield from stream.get(address, stream=True, timeout=30).iter_lines(chunk_size=1)


def new_session(place: Place) -> requests.Session:
    """A session that trusts the site's certificate."""
    session = requests.Session()
    session.trust_env = False  # otherwise the machine's certificates would count
    session.verify = str(place.folder / "tls" / "ca.pem")
    return session


def _calls_on_page(page: str) -> dict[str, str]:
    """The party that rings or speaks, by call."""
    return {
        row[1]: _TABLE_CELL.findall(row[0])[_PARTY_CELL].strip() for row in _CALL_ROW.finditer(page)
    }


def _row_changes(rows: dict[str, str], new_rows: dict[str, str]) -> Iterator[tuple[str, str]]:
    for call, party in new_rows.items():
        if call not in rows:
            yield "arrives", call
        if party != NOBODY_MARK and rows.get(call, NOBODY_MARK) == NOBODY_MARK:
            yield "rings", call
    for call in rows.keys() - new_rows.keys():
        yield "ends", call


def sign_in(session: requests.Session, url: str, user: dict[str, str]) -> None:
    """Sign a user in; raises HTTPError when that fails."""
    page = session.get(f"{url}/login").text
    token = re.search(r'<meta name="csrf-token" content="([^"]+)"', page)
    assert token  # every page has it
    form = {"csrf_token": token[1], "login": user["login"], "password": user["password"]}
    session.post(f"{url}/login", form, headers={"Referer": f"{url}/login"}).raise_for_status()


if __name__ == "__main__":
    watch_page(Place(Path(sys.argv[1])), Path(sys.argv[2]))
