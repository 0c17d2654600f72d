"""Open streams of topics: one event loop tells them all, in a thread of its own.

A stream holds no thread and no connection to the database. It begins as a request like any other,
whose view looks at the rights and calls `Streams.begin`. Then `HandOver` takes the socket from
gunicorn and gives it to the loop, so that the front, its address and the session's check stay one.
"""

import asyncio
import contextlib
import itertools
import json
import logging
import math
import os
import socket
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, cast

from appliance.core import db
from appliance.core import live as events

log = logging.getLogger(__name__)

KEPT = 1000  # events remembered for streams that come back
BEAT = 10.0  # seconds between signs of life: the browser must notice a line that is dead but open
LASTS = 900.0  # seconds; then the browser comes again, and its right to hear is checked again
MOST = 1000  # of all together
OF_ONE = 8  # streams of one person: the newest, for a browser does not tell that a page was left
LATER = 30_000  # ms after which a page whose stream was ended for a newer one tries again
GATHERED = 0.005  # seconds: events that come together are told together
FULL = 65_536  # bytes that a browser has not taken, by which it is given up
SOCKET, STREAM = "gunicorn.socket", "appliance.stream"  # in a request's environment


@dataclass
class Piece:
    """A piece of many pages that is told with the event that changes it, at a pace of seconds.

    `make`: persons whose pages are open → the piece at the address `at`, of each who has it. It is
    called by the reader of the events, so it must not take long.
    """

    topic: str
    at: str
    pace: float
    make: Callable[[list[str]], dict[str, str]]
    due: bool = False
    made: float = -math.inf


class Stream(asyncio.Protocol):
    """One open page that hears `wants`: topic → what it is called there.

    `after`: the last event it knows; `newest`: the last there was when it came. The topic `last`
    ends it. Everything but `__init__` is called by the loop.
    """

    def __init__(self, streams: "Streams", wants: dict[str, str], last: str, who: str) -> None:
        self.wants, self.last, self.who = wants, last, who
        self.after = self.newest = 0
        self._streams = streams
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._transport: asyncio.WriteTransport | None = None
        self._names: dict[str, None] = {}  # to be told, in their order
        self._shown: dict[str, str] = {}  # address → the piece as it was told
        self._over = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """It is the loop's from now on."""
        self._transport = cast("asyncio.WriteTransport", transport)
        if self._over:
            self.make_room()
            return
        self._timers["end"] = asyncio.get_running_loop().call_later(LASTS, transport.close)
        self._streams.join(self)
        self._beat()

    def connection_lost(self, error: Exception | None) -> None:
        """The page was left, or the stream has ended."""
        for timer in self._timers.values():
            timer.cancel()
        self._streams.leave(self)

    def hear(self, topic: str) -> None:
        """Something happened; it is told with what comes at the same time."""
        if topic == self.last:
            self._names[""] = None
        elif topic in self.wants:
            self._names[self.wants[topic]] = None

    def write_heard(self, newest: int) -> None:
        """Write what was heard, up to the event `newest`; what comes after its end is not told."""
        names, self._names = self._names, {}
        for name in names:
            if not name:
                self._end("event: ended\ndata:\n\n")
                return
            self._write(f"id: {newest}\nevent: topic\ndata: {name}\n\n")
        self.after = max(self.after, newest)

    def show(self, at: str, piece: str) -> None:
        """Tell how a piece of the page stands now, unless it stands so."""
        if self._shown.get(at) != piece:
            self._shown[at] = piece
            self._write(f"event: piece\ndata: {json.dumps({'at': at, 'piece': piece})}\n\n")

    def close(self) -> None:
        """End without a word: the browser comes again."""
        if self._transport:
            self._transport.close()

    def refresh(self, newest: int) -> None:
        """Let the page fetch everything: what happened since it was made is not known any more."""
        self.after = newest
        self._write(f"id: {newest}\nevent: refresh\ndata:\n\n")

    def make_room(self) -> None:
        """End for a newer one of the same person."""
        self._over = True
        self._end(f"retry: {LATER}\n\n")

    def _beat(self) -> None:
        self._write(f"id: {self.after}\nevent: beat\ndata:\n\n")
        self._timers["beat"] = asyncio.get_running_loop().call_later(BEAT, self._beat)

    def _end(self, text: str) -> None:
        self._write(text)
        if self._transport:
            self._transport.close()

    def _write(self, text: str) -> None:
        if not self._transport or self._transport.is_closing():
            return
        if self._transport.get_write_buffer_size() > FULL:
            self._transport.abort()
        else:
            self._transport.write(text.encode())


class Streams:
    """The open streams and the one reader of the events.

    A stream is woken only by what it hears: most of what happens concerns few of many pages.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._lock = threading.Lock()  # of what follows, and nothing else
        self._open: defaultdict[str, list[Stream]] = defaultdict(list)  # of a person, old to new
        self._loop: asyncio.AbstractEventLoop | None = None
        self._stopped = threading.Event()
        self._threads: list[threading.Thread] = []
        self._pieces: list[Piece] = []
        self._latest: dict[str, int] = {}  # event of each topic; the reader writes it
        # These are the loop's alone.
        self._ears: defaultdict[str, set[Stream]] = defaultdict(set)  # by topic
        self._events: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._newest = 0
        self._due: dict[Stream, None] = {}

    def begin(
        self, who: str, after: int | None, newest: int, wants: dict[str, str], last: str
    ) -> Stream | None:
        """A new stream of a person, whose oldest may end for it; None when there is no place.

        `newest` is the last event there is, `after` the last one that the page knows.
        """
        stream = Stream(self, wants, last, who)
        stream.after, stream.newest = newest if after is None else after, newest
        with self._lock:
            self._start(newest)
            ours = self._open[who]
            old = ours[: max(len(ours) + 1 - OF_ONE, 0)]
            if sum(map(len, self._open.values())) - len(old) >= self._most:
                return None
            ours[:] = [*ours[len(old) :], stream]
        for one in old:
            self._call(one.make_room)
        return stream

    def add_piece(self, piece: Piece) -> None:
        """Have a piece told to all who hear its topic; before the first stream begins."""
        self._pieces.append(piece)

    def carry(self, stream: Stream, taken: socket.socket, head: bytes) -> None:
        """Tell the stream on a socket that nobody else holds, after the answer's head."""
        self._call(self._carry, stream, taken, head)

    def join(self, stream: Stream) -> None:
        """A stream is open: it is told what it missed, and hears from now on."""
        if not self._forgotten() <= stream.after <= stream.newest:
            stream.refresh(stream.newest)
        for piece in self._pieces:
            piece.due |= self._latest.get(piece.topic, 0) > stream.after
        late = itertools.takewhile(lambda one: one[0] > stream.after, reversed(self._events))
        for _number, topic in [*late][::-1]:
            stream.hear(topic)
        stream.write_heard(self._newest)
        for topic in (*stream.wants, stream.last):
            self._ears[topic].add(stream)

    def leave(self, stream: Stream) -> None:
        """A stream has ended; to say so again changes nothing."""
        self._due.pop(stream, None)
        for topic in (*stream.wants, stream.last):
            self._ears[topic].discard(stream)
            if not self._ears[topic]:
                del self._ears[topic]
        self.release(stream)

    def release(self, stream: Stream) -> None:
        """Give the place of a stream back; from any thread."""
        with self._lock:
            if stream in (ours := self._open[stream.who]):
                ours.remove(stream)
            if not ours:
                del self._open[stream.who]

    def stop(self) -> None:
        """End the reading, and with it every stream."""
        self._stopped.set()
        if self._loop is None:
            return
        reader, teller = self._threads
        reader.join()
        self._call(self._loop.stop)
        teller.join()

    def latest(self, topic: str) -> int | None:
        """Names what is known of a topic: another one after each event that pages are told of.

        None: nobody listens, so nothing is known. From any thread.
        """
        return None if self._loop is None else self._latest.get(topic, 0)

    def hear(self, happened: list[tuple[int, str]]) -> None:
        """Events happened; whom they concern is told of all that happen now at once."""
        self._events.extend(happened)
        self._newest = happened[-1][0]
        for _number, topic in happened:
            for stream in self._ears.get(topic, ()):
                stream.hear(topic)
                if not self._due:
                    asyncio.get_running_loop().call_later(GATHERED, self._write_due)
                self._due[stream] = None

    def _write_due(self) -> None:
        due, self._due = self._due, {}
        for stream in due:
            stream.write_heard(self._newest)

    async def _accept(self, stream: Stream, taken: socket.socket, head: bytes) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.sock_sendall(taken, head)
            await loop.connect_accepted_socket(lambda: stream, taken)
        except OSError:
            taken.close()
            self.release(stream)

    def _carry(self, stream: Stream, taken: socket.socket, head: bytes) -> None:
        task = asyncio.get_running_loop().create_task(self._accept(stream, taken, head))
        self._begun.add(task)
        task.add_done_callback(self._begun.discard)

    def _forgotten(self) -> int:
        """The newest event that is not remembered."""
        return self._events[0][0] - 1 if self._events else self._newest

    def _start(self, newest: int) -> None:
        """Begin to read, once; `newest` is the last event that nobody needs any more."""
        if self._loop is not None:
            return
        self._newest = newest
        self._begun: set[asyncio.Task[None]] = set()
        self._loop = loop = asyncio.new_event_loop()
        self._threads = [
            threading.Thread(target=self._read, args=(newest,), name="live", daemon=True),
            threading.Thread(target=self._run, args=(loop,), name="streams", daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    def _call(self, do: Callable[..., object], *arguments: object) -> None:
        if self._loop is not None:
            self._loop.call_soon_threadsafe(do, *arguments)

    def _run(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.run_forever()
        for stream in set().union(*self._ears.values()):
            stream.close()
        loop.run_until_complete(asyncio.sleep(0))
        loop.close()

    def _read(self, newest: int) -> None:
        while not self._stopped.is_set():
            try:
                for happened in events.follow(newest, quiet=0.2):
                    if self._stopped.is_set():
                        return
                    self._latest |= {topic: number for number, topic in happened}
                    if happened:
                        newest = happened[-1][0]
                        self._call(self.hear, happened)
                    self._make({topic for _number, topic in happened})
            except Exception:  # the boundary of the thread
                log.exception("the live events cannot be read or told; trying again")
                self._stopped.wait(1.0)
            finally:
                db.database.close()

    def _make(self, topics: set[str]) -> None:
        """Make the pieces that these change, or something before, if it is time to."""
        for piece in self._pieces:
            piece.due |= piece.topic in topics
            if piece.due and time.monotonic() - piece.made >= piece.pace:
                piece.due, piece.made = False, time.monotonic()
                with self._lock:
                    open_ones = [*self._open]
                self._call(self._show, piece, piece.make(open_ones))

    def _show(self, piece: Piece, made: dict[str, str]) -> None:
        for stream in self._ears.get(piece.topic, ()):
            if stream.who in made:
                stream.show(piece.at, made[stream.who])


class HandOver:
    """The way in to the pages, outermost: a request that began a stream gives its socket away."""

    def __init__(self, pages: Callable[..., Iterable[bytes]], streams: Streams) -> None:
        self._pages, self._streams = pages, streams

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request."""
        begun: list[tuple[str, list[tuple[str, str]]]] = []

        def note(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            begun[:] = [(status, headers)]
            return start(status, headers, *error)

        answer: Iterable[bytes] = ()
        try:
            answer = self._pages(environ, note)
        finally:
            stream: Stream | None = environ.pop(STREAM, None)
            carried = bool(begun) and begun[0][0].startswith("200") and SOCKET in environ
            if stream and not carried:
                self._streams.release(stream)
        if not stream or not carried:
            return answer
        with contextlib.closing(answer):  # type: ignore[type-var]
            self._streams.carry(stream, _taken(environ[SOCKET]), _head(*begun[0]))
        return []


def _taken(connection: socket.socket) -> socket.socket:
    """The socket itself. Who had it holds a dead one, and ends that as any that a browser left."""
    ours = connection.dup()
    ours.setblocking(False)
    dead, other = socket.socketpair()
    with dead, other:
        os.dup2(dead.fileno(), connection.fileno(), inheritable=False)
    return ours


def _head(status: str, headers: Iterable[tuple[str, str]]) -> bytes:
    """What comes before the first event; the end of the connection is that of the stream."""

    def lines() -> Iterator[str]:
        yield f"HTTP/1.1 {status}"
        for name, value in headers:
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                yield f"{name}: {value}"
        yield "Connection: close\r\n\r\nretry: 1000\n\n"

    return "\r\n".join(lines()).encode("latin-1")
