"""How many may be served at once: of all, of one person, and what works long; in which order."""

import contextlib
import functools
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from flask import Flask, Response, abort, current_app, g
from werkzeug.exceptions import TooManyRequests
from werkzeug.wsgi import ClosingIterator

from appliance.web.shell.access import View
from appliance.web.shell.context import me

AT_ONCE = 2  # reports worked out at the same time; the others wait for their turn
PATIENCE = 20.0  # seconds
IN_LINE, OF_ONE = 16, 4  # reports worked out or waiting: of all, of one person
RESERVED = 8  # threads in which only HEALTH is answered
OF_KNOWN = 24  # threads in which only requests from devices that are known are answered
HEALTH = "/healthz"
TURNS = 2  # requests worked on at a time: one by Python, one that waits for the disk meanwhile
LONG = 0.05  # seconds after which whoever has a turn keeps nobody waiting any more


class TooManyPapers(TooManyRequests):
    """A person asks for heavy work while their share of it is already running."""


class Places:
    """Places of which one person may take a few, and all together no more than there are."""

    def __init__(self, most: int, of_one: int) -> None:
        self._most, self._of_one = most, of_one
        self._lock = threading.Lock()
        self._taken: Counter[str] = Counter()

    def take(self, who: str) -> bool:
        """Take one more place; False when there is none for this person."""
        with self._lock:
            if self._taken[who] >= self._of_one or self._taken.total() >= self._most:
                return False
            self._taken[who] += 1
            return True

    def leave(self, who: str) -> None:
        """Give a place back."""
        with self._lock:
            self._taken[who] -= 1
            if not self._taken[who]:
                del self._taken[who]


class Line:
    """First come, first served: a few have a turn, the others wait for theirs.

    Python works for one thread at a time anyway; many at once would hand it round after each
    statement, and all be done as late as the last. Whoever takes longer than `long` seconds,
    because he waits for the exchange or counts a report, is not counted any more.
    """

    def __init__(self, most: int, long: float) -> None:
        self._most, self._long = most, long
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()  # each is released when his turn begins
        self._turns: dict[threading.Lock, float] = {}  # when each began

    @contextlib.contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for a turn, and have it."""
        own = threading.Lock()
        own.acquire()
        with self._lock:
            self._waiting.append(own)
            self._call()
        try:
            while not own.acquire(timeout=self._long):
                with self._lock:
                    self._call()
            yield
        finally:
            with self._lock:
                self._turns.pop(own, None)
                self._call()

    def _call(self) -> None:
        """Let in whoever is next; called with the lock held."""
        now = time.monotonic()
        for one in [one for one, began in self._turns.items() if now - began >= self._long]:
            del self._turns[one]
        while self._waiting and len(self._turns) < self._most:
            self._turns[self._waiting[0]] = now
            self._waiting.popleft().release()


class Entrance:
    """Limits entry to the pages. However busy they are, threads stay free for HEALTH and for known
    devices, on which a user has signed in before (`is_known`, by the request's environment)."""

    def __init__(
        self,
        pages: Callable[..., Iterable[bytes]],
        threads: int,
        is_known: Callable[[dict[str, Any]], bool] = lambda _: False,
    ) -> None:
        self._pages, self._is_known = pages, is_known
        self._line = Line(TURNS, LONG)
        most = max(threads - RESERVED, 1)
        self._places = Places(most, most)
        of_strangers = most - min(OF_KNOWN, most // 4)
        self._of_strangers = Places(of_strangers, of_strangers)

    def __call__(self, environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        """Serve a request, or send it away at once."""
        if environ.get("PATH_INFO") == HEALTH:
            return self._pages(environ, start)
        leave = self._take(environ)
        if leave is None:
            start("503 Service Unavailable", [("Retry-After", "5"), ("Content-Length", "0")])
            return []
        try:
            with self._line.turn():
                return ClosingIterator(self._pages(environ, start), leave)
        except BaseException:
            leave()
            raise

    def _take(self, environ: dict[str, Any]) -> Callable[[], None] | None:
        """Take a place; returns what gives it back, None when there is none."""
        with contextlib.ExitStack() as places:
            if not self._is_known(environ):
                if not self._of_strangers.take(""):
                    return None
                places.callback(self._of_strangers.leave, "")
            if not self._places.take(""):
                return None
            places.callback(self._places.leave, "")
            return places.pop_all().close


def heavy[V: View](view: V) -> V:
    """Declare a view that works long: few at once, few of one person. Stands under `@may`."""

    @functools.wraps(view)
    def in_turn(*args: Any, **kwargs: Any) -> Any:
        places: Places = current_app.extensions["heavy"]
        turns: threading.BoundedSemaphore = current_app.extensions["turns"]
        who = f"key {g.key.id}" if "key" in g else me().login
        if not places.take(who):
            raise TooManyPapers
        leave = functools.partial(places.leave, who)
        with contextlib.ExitStack() as at_end:
            at_end.callback(leave)
            if not turns.acquire(timeout=PATIENCE):
                abort(503)
            at_end.callback(turns.release)
            answer = view(*args, **kwargs)
            if isinstance(answer, Response) and answer.is_streamed:
                # Whoever takes it slowly keeps his own place, and nobody's turn.
                at_end.pop_all()
                turns.release()
                answer.call_on_close(leave)
            return answer

    in_turn.__dict__["works_long"] = True
    return in_turn  # type: ignore[return-value]


def init_app(app: Flask) -> None:
    """Give each person his places, and what works long its turns."""
    app.extensions["heavy"] = Places(IN_LINE, OF_ONE)
    app.extensions["turns"] = threading.BoundedSemaphore(AT_ONCE)
