"""Operators' pages that are open: they hear their stream and fetch what it tells of, as a browser.

`python -m tests.rig.trials.desks_open FOLDER OPERATORS` keeps so many open until it is ended, and
writes a line once all of them are. What a browser would do is told in live.js, pieces.js, page.js.
"""

import asyncio
import contextlib
import html
import json
import re
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlencode

from provisioning.local.place import TLS, Place
from tests.rig.trials.screen import AGAIN, new_session, sign_in

OPEN = "all pages are open"
_GATHERS = 0.01  # static/pieces.js
_LIVE = re.compile(r"<\w+[^>]*\sdata-live=\"[^>]*>")
_WORD = re.compile(r'([\w-]+)="([^"]*)"')
_PACE = re.compile(r"throttle:(\d+)(ms|s)")
_EVERY = re.compile(r"every (\d+)s")


@contextlib.asynccontextmanager
async def opened(place: Place, operators: int) -> AsyncIterator[None]:
    """So many operators' pages are open meanwhile."""
    words = ("-m", __name__, str(place.folder), str(operators))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *words, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout  # asked for
    try:
        told = await process.stdout.readline()
        assert told.decode().strip() == OPEN, "the operators' pages do not open"
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        await process.wait()


@dataclass
class _Section:
    """A live section of a page."""

    address: str
    topics: tuple[str, ...]
    pace: float
    every: float
    fetched: float = -1e9
    waits: asyncio.TimerHandle | None = None


@dataclass
class _Page:
    """One operator's page."""

    place: Place
    trust: ssl.SSLContext
    cookie: str
    agent: str  # the browser's name: its session is kept to it
    sections: dict[str, _Section] = field(default_factory=dict)  # by address
    card: set[str] = field(default_factory=set)  # addresses that stand on the card
    asked: dict[str, None] = field(default_factory=dict)
    bar: str = ""
    form: str = ""
    card_at: str = ""
    busy: asyncio.Task[None] | None = None
    line: asyncio.Lock = field(default_factory=asyncio.Lock)
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open(self) -> str:
        """Fetch the page; gives the address of its stream."""
        text = await self.get("/operator", piece=False)
        found = re.search(r'<meta name="live" content="([^"]+)"', text)
        assert found, "a page of an operator is live"
        self._take(text)
        card = re.search(r'data-card="([^"]+)"', text)
        assert card, "the desk says where its card is"
        self.card_at = html.unescape(card[1])
        return html.unescape(found[1])

    async def get(self, address: str, *, piece: bool = True) -> str:
        """What stands at an address, by the connection that stays open."""
        async with self.line:
            for _ in (1, 2):
                if not self.streams:
                    self.streams = await self.connect()
                try:
                    return await self._ask(*self.streams, address, piece=piece)
                except (OSError, asyncio.IncompleteReadError, ValueError):
                    self.streams[1].close()
                    self.streams = None
        return ""

    async def connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_connection(self.place.box, TLS, ssl=self.trust, limit=1 << 22)

    def head(self, address: str, *, piece: bool = False) -> bytes:
        more = "HX-Request: true\r\n" if piece else ""
        lines = f"GET {address} HTTP/1.1\r\nHost: {self.place.box}:{TLS}\r\n"
        who = f"Cookie: {self.cookie}\r\nUser-Agent: {self.agent}\r\n"
        return f"{lines}{who}{more}\r\n".encode()

    async def _ask(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, at: str, *, piece: bool
    ) -> str:
        writer.write(self.head(at, piece=piece))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if length := re.search(r"content-length: (\d+)", head):
            body = await reader.readexactly(int(length[1]))
        elif "transfer-encoding: chunked" in head:
            body = b""
            while size := int(await reader.readline(), 16):
                body += (await reader.readexactly(size + 2))[:-2]
            await reader.readline()
        else:
            body = b""
        return body.decode() if " 200 " in head.partition("\r\n")[0] else ""

    def hear(self, topic: str) -> None:
        """Sections that wait for the topic are fetched, at their pace."""
        for one in [*self.sections.values()]:
            if not topic or topic in one.topics:
                self._due(one)

    def _due(self, one: _Section) -> None:
        loop = asyncio.get_running_loop()
        if one.waits:
            return
        if (rest := one.fetched + one.pace - loop.time()) > 0:
            one.waits = loop.call_later(rest, self._fetch, one)
        else:
            self._fetch(one)

    def _fetch(self, one: _Section) -> None:
        loop = asyncio.get_running_loop()
        one.waits, one.fetched = None, loop.time()
        self.asked[one.address] = None
        if not self.busy or self.busy.done():
            self.busy = loop.create_task(self._together())

    async def _together(self) -> None:
        while self.asked:
            await asyncio.sleep(_GATHERS)
            asked, self.asked = [*self.asked], {}
            if len(asked) == 1:
                told = {asked[0]: await self.get(asked[0])}
            else:
                text = await self.get(f"/pieces?{urlencode([('at', at) for at in asked])}")
                told = dict(zip(asked, json.loads(text or "[]"), strict=False))
            for text in told.values():
                self._take(text or "")
                if 'id="bar"' in (text or ""):
                    await self._follow(text)

    async def _follow(self, text: str) -> None:
        """The card of the call at hand is shown when it rings on an empty desk, and when taken."""
        words = dict(_WORD.findall(next(iter(_LIVE.findall(text)))))
        token, stage = words.get("data-form", ""), words.get("data-stage", "")
        if f"{token} {stage}" == self.bar:
            return
        self.bar = f"{token} {stage}"
        if token and token != self.form and (not self.form or stage == "talk"):
            self.form = token
            card = await self.get(self.card_at + "?")
            for address in self.card:
                self.sections.pop(address, None)
            self.card = self._take(card)

    def _take(self, text: str) -> set[str]:
        """Note the live sections that stand in a piece of the page; gives their addresses."""
        found = set()
        for tag in _LIVE.findall(text):
            words = dict(_WORD.findall(tag))
            address, trigger = html.unescape(words["hx-get"]), words["hx-trigger"]
            pace, every = _PACE.search(trigger), _EVERY.search(trigger)
            length = float(pace[1]) / (1000 if pace[2] == "ms" else 1) if pace else 0.0
            again = float(every[1]) if every else 0.0
            known = self.sections.get(address)
            made = known or _Section(address, (), length, again)
            made.topics = tuple(words["data-live"].split())
            if not known:
                self.sections[address] = made
                if again:
                    asyncio.get_running_loop().call_later(again, self._again, made)
            found.add(address)
        return found

    def _again(self, one: _Section) -> None:
        if self.sections.get(one.address) is one:
            self._fetch(one)
            asyncio.get_running_loop().call_later(one.every, self._again, one)

    async def listen(self, address: str) -> None:
        """Hear the stream until the end, opening it again as a browser does."""
        while True:
            reader, writer = await self.connect()
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                writer.write(self.head(address))
                event = ""
                while line := await reader.readline():
                    name, _, value = line.decode().rstrip("\r\n").partition(": ")
                    if name == "event":
                        event = value
                    elif name.startswith("data") and event in ("topic", "refresh"):
                        self.hear(value if event == "topic" else "")
                    elif name.startswith("data") and event == "piece":
                        self._take(json.loads(value)["piece"])  # nothing is fetched
                    elif not name:
                        event = ""
            writer.close()
            await asyncio.sleep(1.0)


async def keep_open(place: Place, operators: int) -> None:
    """Be the pages until terminated."""
    facts = json.loads(place.description.read_text("utf-8"))["operators"][:operators]
    trust = ssl.create_default_context(cafile=place.folder / "tls" / "ca.pem")
    pages = []
    for one in facts:
        session = new_session(place)
        while True:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(sign_in, session, place.url, one)
                break
            await asyncio.sleep(AGAIN)
        cookie = "; ".join(f"{got.name}={got.value}" for got in session.cookies)
        page = _Page(place, trust, cookie, str(session.headers["User-Agent"]))
        pages.append((page, await page.open()))
    tasks = [asyncio.create_task(page.listen(address)) for page, address in pages]
    print(OPEN, flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(keep_open(Place(Path(sys.argv[1])), int(sys.argv[2])))
