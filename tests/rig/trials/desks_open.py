"""Open operators' pages: they follow their stream and fetch what it announces, as a browser does.

`python -m tests.rig.trials.desks_open FOLDER OPERATORS` keeps OPERATORS pages open until it is
terminated, and prints a line when all of them are open. The behaviour of a browser is defined in
live.js, pieces.js, page.js.
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

from provisioning.local.place import TLS_PORT, Place
from tests.rig.trials.screen import SIGN_IN_INTERVAL_SECONDS, new_session, sign_in

ALL_OPEN_LINE = "all pages are open"
_GATHER_SECONDS = 0.01  # as in static/pieces.js
_LIVE_TAG = re.compile(r"<\w+[^>]*\sdata-live=\"[^>]*>")
_ATTRIBUTE = re.compile(r'([\w-]+)="([^"]*)"')
_THROTTLE = re.compile(r"throttle:(\d+)(ms|s)")
_INTERVAL = re.compile(r"every (\d+)s")


@contextlib.asynccontextmanager
async def running_pages(place: Place, operators: int) -> AsyncIterator[None]:
    """Keep the pages of `operators` operators open in the meantime."""
    options = ("-m", __name__, str(place.folder), str(operators))
    process = await asyncio.create_subprocess_exec(
        sys.executable, *options, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout  # requested above
    try:
        first_line = await process.stdout.readline()
        assert first_line.decode().strip() == ALL_OPEN_LINE, "the operators' pages do not open"
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
    throttle_seconds: float
    interval_seconds: float
    fetched_at: float = -1e9
    timer: asyncio.TimerHandle | None = None


@dataclass
class _OperatorPage:
    """One operator's page."""

    place: Place
    tls_context: ssl.SSLContext
    cookie: str
    user_agent: str  # the browser's name; its session is valid only with it
    sections: dict[str, _Section] = field(default_factory=dict)  # by address
    card_addresses: set[str] = field(default_factory=set)  # addresses of the sections on the card
    pending_addresses: dict[str, None] = field(default_factory=dict)
    bar_state: str = ""
    form_token: str = ""
    card_address: str = ""
    fetch_task: asyncio.Task[None] | None = None
    connection_lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def open_page(self) -> str:
        """Fetch the page; returns the address of its stream."""
        text = await self.fetch_text("/operator", is_piece=False)
        match = re.search(r'<meta name="live" content="([^"]+)"', text)
        assert match, "a page of an operator is live"
        self._register_sections(text)
        card = re.search(r'data-card="([^"]+)"', text)
        assert card, "the desk says where its card is"
        self.card_address = html.unescape(card[1])
        return html.unescape(match[1])

    async def fetch_text(self, address: str, *, is_piece: bool = True) -> str:
        """The text at an address, through the connection that stays open."""
        async with self.connection_lock:
            for _ in (1, 2):
                if not self.streams:
                    self.streams = await self.open_connection()
                try:
                    return await self._send_request(*self.streams, address, is_piece=is_piece)
                except (OSError, asyncio.IncompleteReadError, ValueError):
                    self.streams[1].close()
                    self.streams = None
        return ""

    async def open_connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Open a connection to the front."""
        return await asyncio.open_connection(
            self.place.box_address, TLS_PORT, ssl=self.tls_context, limit=1 << 22
        )

    def request_head(self, address: str, *, is_piece: bool = False) -> bytes:
        """The head of a request for the address."""
        extra_header = "HX-Request: true\r\n" if is_piece else ""
        lines = f"GET {address} HTTP/1.1\r\nHost: {self.place.box_address}:{TLS_PORT}\r\n"
        identity = f"Cookie: {self.cookie}\r\nUser-Agent: {self.user_agent}\r\n"
        return f"{lines}{identity}{extra_header}\r\n".encode()

    async def _send_request(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        address: str,
        *,
        is_piece: bool,
    ) -> str:
        writer.write(self.request_head(address, is_piece=is_piece))
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

    def refresh_topic(self, topic: str) -> None:
        """Fetch the sections that depend on the topic, no faster than their pace; "" means all."""
        for section in [*self.sections.values()]:
            if not topic or topic in section.topics:
                self._schedule_fetch(section)

    def _schedule_fetch(self, section: _Section) -> None:
        """Fetch the section now, or when its pace allows."""
        loop = asyncio.get_running_loop()
        if section.timer:
            return
        if (delay := section.fetched_at + section.throttle_seconds - loop.time()) > 0:
            section.timer = loop.call_later(delay, self._queue_fetch, section)
        else:
            self._queue_fetch(section)

    def _queue_fetch(self, section: _Section) -> None:
        loop = asyncio.get_running_loop()
        section.timer, section.fetched_at = None, loop.time()
        self.pending_addresses[section.address] = None
        if not self.fetch_task or self.fetch_task.done():
            self.fetch_task = loop.create_task(self._fetch_pending())

    async def _fetch_pending(self) -> None:
        """Fetch all pending addresses, several by one request."""
        while self.pending_addresses:
            await asyncio.sleep(_GATHER_SECONDS)
            addresses, self.pending_addresses = [*self.pending_addresses], {}
            if len(addresses) == 1:
                texts = {addresses[0]: await self.fetch_text(addresses[0])}
            else:
                text = await self.fetch_text(
                    f"/pieces?{urlencode([('at', at) for at in addresses])}"
                )
                texts = dict(zip(addresses, json.loads(text or "[]"), strict=False))
            for text in texts.values():
                self._register_sections(text or "")
                if 'id="bar"' in (text or ""):
                    await self._follow_bar(text)

    async def _follow_bar(self, text: str) -> None:
        """Show the card of the current call.

        It appears when the call rings while no form is open, and when it is answered.
        """
        attributes = dict(_ATTRIBUTE.findall(next(iter(_LIVE_TAG.findall(text)))))
        token, stage = attributes.get("data-form", ""), attributes.get("data-stage", "")
        if f"{token} {stage}" == self.bar_state:
            return
        self.bar_state = f"{token} {stage}"
        if token and token != self.form_token and (not self.form_token or stage == "talk"):
            self.form_token = token
            card = await self.fetch_text(self.card_address + "?")
            for address in self.card_addresses:
                self.sections.pop(address, None)
            self.card_addresses = self._register_sections(card)

    def _register_sections(self, text: str) -> set[str]:
        """Register the live sections in a piece of the page; returns their addresses."""
        addresses = set()
        for tag in _LIVE_TAG.findall(text):
            attributes = dict(_ATTRIBUTE.findall(tag))
            address, trigger = html.unescape(attributes["hx-get"]), attributes["hx-trigger"]
            throttle, interval = _THROTTLE.search(trigger), _INTERVAL.search(trigger)
            throttle_seconds = (
                float(throttle[1]) / (1000 if throttle[2] == "ms" else 1) if throttle else 0.0
            )
            interval_seconds = float(interval[1]) if interval else 0.0
            existing = self.sections.get(address)
            section = existing or _Section(address, (), throttle_seconds, interval_seconds)
            section.topics = tuple(attributes["data-live"].split())
            if not existing:
                self.sections[address] = section
                if interval_seconds:
                    asyncio.get_running_loop().call_later(
                        interval_seconds, self._fetch_periodically, section
                    )
            addresses.add(address)
        return addresses

    def _fetch_periodically(self, section: _Section) -> None:
        if self.sections.get(section.address) is section:
            self._queue_fetch(section)
            asyncio.get_running_loop().call_later(
                section.interval_seconds, self._fetch_periodically, section
            )

    async def follow_stream(self, address: str) -> None:
        """Follow the stream until terminated, and open it again as a browser does."""
        while True:
            reader, writer = await self.open_connection()
            with contextlib.suppress(OSError, asyncio.IncompleteReadError):
                writer.write(self.request_head(address))
                event = ""
                while line := await reader.readline():
                    name, _, value = line.decode().rstrip("\r\n").partition(": ")
                    if name == "event":
                        event = value
                    elif name.startswith("data") and event in ("topic", "refresh"):
                        self.refresh_topic(value if event == "topic" else "")
                    elif name.startswith("data") and event == "piece":
                        self._register_sections(json.loads(value)["piece"])  # no request is needed
                    elif not name:
                        event = ""
            writer.close()
            await asyncio.sleep(1.0)


async def keep_open(place: Place, operators: int) -> None:
    """Act as the pages until terminated."""
    accounts = json.loads(place.description_file.read_text("utf-8"))["operators"][:operators]
    tls_context = ssl.create_default_context(cafile=place.folder / "tls" / "ca.pem")
    pages = []
    for account in accounts:
        session = new_session(place)
        while True:
            with contextlib.suppress(OSError):
                await asyncio.to_thread(sign_in, session, place.pages_url, account)
                break
            await asyncio.sleep(SIGN_IN_INTERVAL_SECONDS)
        cookie = "; ".join(
            f"{cookie_item.name}={cookie_item.value}" for cookie_item in session.cookies
        )
        page = _OperatorPage(place, tls_context, cookie, str(session.headers["User-Agent"]))
        pages.append((page, await page.open_page()))
    tasks = [asyncio.create_task(page.follow_stream(address)) for page, address in pages]
    print(ALL_OPEN_LINE, flush=True)
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(keep_open(Place(Path(sys.argv[1])), int(sys.argv[2])))
