"""Limits on how many requests are served at once: in all, per user and for long-running views."""

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

MAX_RUNNING_REPORTS = 2  # reports made at the same time; the others wait for their turn
REPORT_WAIT_SECONDS = 20.0  # until a report that waits for its turn is refused
MAX_PENDING_REPORTS, MAX_PENDING_REPORTS_PER_USER = 16, 4  # reports being made or waiting
HEALTH_THREADS = 8  # threads that serve only HEALTH_PATH
KNOWN_DEVICE_THREADS = 24  # threads that serve only requests from known devices
HEALTH_PATH = "/healthz"
MAX_ACTIVE_REQUESTS = 2  # at a time: one runs Python while the other waits for the disk
TURN_SECONDS = 0.05  # after which a request that has its turn no longer holds up the others


class TooManyReports(TooManyRequests):
    """A user may not request a long-running view now: the allowed number is running or waiting."""


class SlotPool:
    """A limited number of slots (permissions to run), of which one user may hold only a few.

    `user_key` identifies a user; if users are not distinguished, all slots have the key "".
    """

    def __init__(self, max_slots: int, max_per_user: int) -> None:
        """Create a pool of `max_slots`, of which one user may hold `max_per_user`."""
        self._max_slots, self._max_per_user = max_slots, max_per_user
        self._lock = threading.Lock()
        self._used: Counter[str] = Counter()

    def acquire_slot(self, user_key: str) -> bool:
        """Acquire a slot for `user_key`. Returns False if no slot is free for this user."""
        with self._lock:
            if self._used[user_key] >= self._max_per_user or self._used.total() >= self._max_slots:
                return False
            self._used[user_key] += 1
            return True

    def release_slot(self, user_key: str) -> None:
        """Release a slot of `user_key`."""
        with self._lock:
            self._used[user_key] -= 1
            if not self._used[user_key]:
                del self._used[user_key]


class TurnQueue:
    """First come, first served: a few requests are active, the others wait for their turn.

    Python runs one thread at a time anyway; with many active threads it would switch between them
    after each statement, and all would finish as late as the last. A request that takes longer than
    `turn_seconds`, because it waits for Asterisk or computes a report, no longer counts as active.
    """

    def __init__(self, max_active: int, turn_seconds: float) -> None:
        """Create a queue that lets `max_active` requests be active at the same time."""
        self._max_active, self._turn_seconds = max_active, turn_seconds
        self._lock = threading.Lock()
        self._waiting: deque[threading.Lock] = deque()  # each lock is released when its turn begins
        self._turns: dict[threading.Lock, float] = {}  # lock → monotonic time when its turn began

    @contextlib.contextmanager
    def wait_for_turn(self) -> Iterator[None]:
        """Wait for a turn and hold it inside the `with` block."""
        turn_lock = threading.Lock()
        turn_lock.acquire()
        with self._lock:
            self._waiting.append(turn_lock)
            self._start_next_turns()
        try:
            # While waiting, it ends the turns of others that take too long, so that it can begin.
            while not turn_lock.acquire(timeout=self._turn_seconds):
                with self._lock:
                    self._start_next_turns()
            yield
        finally:
            with self._lock:
                self._turns.pop(turn_lock, None)
                self._start_next_turns()

    def _start_next_turns(self) -> None:
        """Let waiting requests begin their turn while fewer than the allowed number are active.

        The caller holds `self._lock`.
        """
        now = time.monotonic()
        for turn_lock in [
            turn_lock
            for turn_lock, began in self._turns.items()
            if now - began >= self._turn_seconds
        ]:
            del self._turns[turn_lock]
        while self._waiting and len(self._turns) < self._max_active:
            self._turns[self._waiting[0]] = now
            self._waiting.popleft().release()


class RequestGate:
    """WSGI middleware that limits the requests served at once.

    However busy the pages are, some threads stay free for HEALTH_PATH, and some for known devices,
    on which a user has signed in before. `is_known` decides that from a request's WSGI environment.
    """

    def __init__(
        self,
        wsgi_app: Callable[..., Iterable[bytes]],
        threads: int,
        is_known: Callable[[dict[str, Any]], bool] = lambda _: False,
    ) -> None:
        """Wrap `wsgi_app`, which is served by `threads` threads."""
        self._wsgi_app, self._is_known = wsgi_app, is_known
        self._turn_queue = TurnQueue(MAX_ACTIVE_REQUESTS, TURN_SECONDS)
        max_requests = max(threads - HEALTH_THREADS, 1)
        self._slots = SlotPool(max_requests, max_requests)
        max_unknown_requests = max_requests - min(KNOWN_DEVICE_THREADS, max_requests // 4)
        self._unknown_device_slots = SlotPool(max_unknown_requests, max_unknown_requests)

    def __call__(
        self, environ: dict[str, Any], start_response: Callable[..., Any]
    ) -> Iterable[bytes]:
        """Serve a request; if too many are being served, refuse it at once with 503."""
        if environ.get("PATH_INFO") == HEALTH_PATH:
            return self._wsgi_app(environ, start_response)
        slots = self._acquire_slots(environ)
        if slots is None:
            start_response(
                "503 Service Unavailable", [("Retry-After", "5"), ("Content-Length", "0")]
            )
            return []
        with slots, self._turn_queue.wait_for_turn():
            response = self._wsgi_app(environ, start_response)
            return ClosingIterator(response, slots.pop_all().close)

    def _acquire_slots(self, environ: dict[str, Any]) -> contextlib.ExitStack | None:
        """Acquire the slots that a request needs, if all of them are free.

        The returned stack releases the slots when it is closed. All requests have the same key "",
        because the user is not known yet.
        """
        with contextlib.ExitStack() as slots:
            if not self._is_known(environ):
                if not self._unknown_device_slots.acquire_slot(""):
                    return None
                slots.callback(self._unknown_device_slots.release_slot, "")
            if not self._slots.acquire_slot(""):
                return None
            slots.callback(self._slots.release_slot, "")
            return slots.pop_all()


def long_running[V: View](view: V) -> V:
    """Declare a long-running view: only a few run at once, and a user may request only a few.

    Place it below `@may`. Raises TooManyReports if the user, or all users together, have too many
    requests running or waiting; aborts with 503 after REPORT_WAIT_SECONDS without a turn.
    """

    @functools.wraps(view)
    def run_in_turn(*args: Any, **kwargs: Any) -> Any:
        """Run the view when the turn of its request comes."""
        slots: SlotPool = current_app.extensions["report_slots"]
        turns: threading.BoundedSemaphore = current_app.extensions["report_turns"]
        user_key = f"key {g.key.id}" if "key" in g else me().login
        if not slots.acquire_slot(user_key):
            raise TooManyReports
        release_slot = functools.partial(slots.release_slot, user_key)
        with contextlib.ExitStack() as cleanup:
            cleanup.callback(release_slot)
            if not turns.acquire(timeout=REPORT_WAIT_SECONDS):
                abort(503)
            cleanup.callback(turns.release)
            # Leaving the `with` block releases turn and slot, also after an error.
            response = view(*args, **kwargs)
            if isinstance(response, Response) and response.is_streamed:
                # A slow download keeps the user's own slot, but does not block the turn of others.
                cleanup.pop_all()
                turns.release()
                response.call_on_close(release_slot)
            return response

    run_in_turn.__dict__["works_long"] = True
    return run_in_turn  # type: ignore[return-value]


def init_app(app: Flask) -> None:
    """Create the limits that `long_running` uses: slots per user and turns to run."""
    app.extensions["report_slots"] = SlotPool(MAX_PENDING_REPORTS, MAX_PENDING_REPORTS_PER_USER)
    app.extensions["report_turns"] = threading.BoundedSemaphore(MAX_RUNNING_REPORTS)
