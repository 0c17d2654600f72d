"""What a technician has to see faults with: the page Status, the command, the alarms."""

import asyncio
import json
import re
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import requests

from appliance.core import sqlite
from provisioning.local import site
from provisioning.local.place import GUNICORN, Place
from tests.rig.trials import screen

WAYS = ("page", "command", "alarm")
SEEN, CLEARED = 90.0, 400.0  # seconds that a fault may go unseen, and its end untold
_LINE = re.compile(r'<li class="is-(\w+)" id="check-([^"]+)">(.*?)</li>', re.S)
_PAUSE = 2.0
_PATIENCE = 8.0


@dataclass
class Sight:
    """How one fault was seen: way → seconds after it was put in; and in which words."""

    code: str
    text: str  # that has to be among the words
    ways: Sequence[str] = WAYS
    since: float = 0.0
    seen: dict[str, float] = field(default_factory=dict)
    words: str = ""
    cleared: float | None = None  # seconds after it was taken away

    @property
    def whole(self) -> bool:
        """Whether every way that can tell of it did, in time."""
        return all(self.seen.get(way, SEEN + 1) <= SEEN for way in self.ways)


class Eyes:
    """Looks at a running site, as often as it can."""

    def __init__(self, place: Place, technician: dict[str, str]) -> None:
        self._place = place
        self._session = screen.new_session(place)
        screen.sign_in(self._session, place.url, technician)

    async def watch(self, sights: Iterable[Sight], limit: float = SEEN) -> None:
        """Look until every fault was seen in every way, or the time is over."""
        open_ones = list(sights)
        while open_ones:
            await self._look([one for one in open_ones if one.since])
            now = time.monotonic()
            open_ones = [
                one for one in open_ones if not (one.whole or 0 < one.since < now - limit - 5)
            ]
            await asyncio.sleep(_PAUSE)

    async def await_end(self, sights: Sequence[Sight], limit: float = CLEARED) -> None:
        """Look until the checks are well and their alarms have ended."""
        began = time.monotonic()
        while time.monotonic() - began < limit:
            told = await self.command()
            alarms = self.alarms()
            for sight in sights:
                state, words = told.get(sight.code, ("ok", ""))
                gone = state != "fail" or sight.text not in words
                if gone and sight.code not in alarms and sight.cleared is None:
                    sight.cleared = time.monotonic() - began
            if all(sight.cleared is not None for sight in sights):
                return
            await asyncio.sleep(_PAUSE)

    async def _look(self, sights: list[Sight]) -> None:
        command, page = asyncio.create_task(self.command()), asyncio.to_thread(self.page)
        shown, alarms = await page, self.alarms()
        for sight in sights:  # the page speaks another language
            if shown.get(sight.code, ("", ""))[0] == "fail":
                sight.seen.setdefault("page", time.monotonic() - sight.since)
        told = await command
        for sight in sights:
            state, words = told.get(sight.code, ("", ""))
            if state == "fail" and sight.text in words:
                sight.seen.setdefault("command", time.monotonic() - sight.since)
                sight.words = sight.words or words
        for sight in sights:
            if sight.code in alarms:
                sight.seen.setdefault("alarm", time.monotonic() - sight.since)

    async def command(self) -> dict[str, tuple[str, str]]:
        """Check → (state, words), as `appliance doctor` says."""
        process = await asyncio.create_subprocess_exec(
            *(str(site.PROGRAM), "--config", str(self._place.config), "doctor", "--json"),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        told, complaint = await process.communicate()
        try:
            rows = json.loads(told)
        except ValueError:
            last = complaint.decode().strip().splitlines()[-1:]
            return {"command": ("fail", " ".join(last))}
        return {row["check"]: (row["state"], f"{row['seen']}. {row['advice']}") for row in rows}

    def page(self) -> dict[str, tuple[str, str]]:
        """The same as the page Status shows it; without the TLS front, its own process is asked."""
        cookies = "; ".join(f"{one.name}={one.value}" for one in self._session.cookies)
        headers = {"Cookie": cookies, "X-Forwarded-Proto": "https", "Host": self._host()}
        direct = f"http://{self._place.box}:{GUNICORN}/status/checks"
        for url, more in ((f"{self._place.url}/status/checks", {}), (direct, headers)):
            try:
                text = self._session.get(url, headers=more, timeout=_PATIENCE).text
            except requests.RequestException:
                continue
            return {code: (state, words) for state, code, words in _LINE.findall(text)}
        return {}

    def alarms(self) -> set[str]:
        """The codes that were told of, and whose end was not."""
        file = self._place.folder / "data" / "appliance.db"
        try:
            with sqlite.connect(f"file:{file}?mode=ro", uri=True, timeout=2) as database:
                rows = database.execute("SELECT code FROM alarm WHERE told_at IS NOT NULL")
                return {code for (code,) in rows}
        except sqlite.OperationalError:
            return set()

    def _host(self) -> str:
        return self._place.url.removeprefix("https://")
