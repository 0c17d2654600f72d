"""Live pages: the browser is told which topic changed, and fetches that piece of the page anew.

How a page is made live (static/live.js does the rest):

    {% from "macros.html" import live %}
    <section id="calls" {{ live(url_for("calls.table"), "calls") }}>…</section>

The view behind that address renders the same section, its id included. When the topic "calls"
comes, htmx fetches it and morphs it in: what is typed, the focus and the scroll place stay. Give
elements that the page itself changes an id, and `hx-morph-skip` to those that must never be touched
(a form in the middle of a live section). When the stream is lost the page says so; when it is back
every live section is fetched.

Topics are those of appliance.live; here "operator:<login>" is told as "operator", and only to that
operator.
"""

import logging
import threading
import time
from collections import deque
from collections.abc import Iterator

import peewee
from flask import Blueprint, Flask, Response, current_app, g, request

from appliance import db
from appliance import live as events
from appliance.models import User
from appliance.web.access import may, role
from appliance.web.context import me, site

log = logging.getLogger(__name__)

MACHINE = ("checks", "jobs", "lines")
LEADS = ("appeals", "calls", "devices", "followups", "links", "operators")
HEARD = {
    "operator": ("followups", "links"),
    "supervisor": LEADS,
    "manager": (*LEADS, *MACHINE, "outbox"),
    "ministry": ("appeals", "links"),
    "technician": (*MACHINE, "devices", "links", "outbox"),
}
KEPT = 1000  # events remembered for streams that come back
BEAT = 10.0  # seconds between signs of life: the browser must notice a line that is dead but open
LASTS = 900.0  # seconds; then the browser comes again, and its right to hear is checked again
SPARE = 16  # threads that streams leave to the pages

screen = Blueprint("live", __name__)


class Listener:
    """The one reader of the events; streams wait for it, and hold no connection themselves."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._events: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._newest = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._streams = 0

    def start(self, newest: int) -> None:
        """Begin to read, once; `newest` is the last event that nobody needs any more."""
        with self._changed:
            if self._thread is None:
                self._newest = newest
                self._thread = threading.Thread(target=self._read, name="live", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the reading, and with it every stream."""
        self._stop.set()
        with self._changed:
            self._changed.notify_all()
        if self._thread:
            self._thread.join()

    def hear(self, after: int, newest: int, wants: dict[str, str]) -> Iterator[str]:
        """Server-sent events after the event `after`; `wants`: topic → what it is called there.

        `newest` is the last event there is. When events were forgotten meanwhile, or the numbers
        began again, "refresh" tells the page to fetch everything.
        """
        until, told = time.monotonic() + LASTS, 0.0
        yield "retry: 1000\n\n"
        with self._changed:
            if not self._forgotten() <= after <= newest:
                after = self._newest
                yield f"id: {after}\nevent: refresh\ndata:\n\n"
        while time.monotonic() < until and not self._stop.is_set():
            with self._changed:
                if self._newest <= after:
                    self._changed.wait(max(told + BEAT - time.monotonic(), 0))
                topics = [topic for number, topic in self._events if number > after]
                after = max(after, self._newest)
            names = dict.fromkeys(wants[topic] for topic in topics if topic in wants)
            for name in names:
                yield f"id: {after}\nevent: topic\ndata: {name}\n\n"
            if not names and time.monotonic() >= told + BEAT:
                yield f"id: {after}\nevent: beat\ndata:\n\n"
                told = time.monotonic()

    @property
    def streams(self) -> int:
        """How many pages listen."""
        return self._streams

    def counted(self, heard: Iterator[str]) -> Iterator[str]:
        """The stream, counted as long as it runs."""
        with self._changed:
            self._streams += 1
        try:
            yield from heard
        finally:
            with self._changed:
                self._streams -= 1

    def _forgotten(self) -> int:
        """The newest event that is not remembered."""
        return self._events[0][0] - 1 if self._events else self._newest

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow(events.follow(self._newest, quiet=0.2))
            except peewee.PeeweeException:
                log.exception("the live events cannot be read; trying again")
                self._stop.wait(1.0)
            finally:
                db.database.close()

    def _follow(self, followed: Iterator[tuple[int, str]]) -> None:
        for number, topic in followed:
            if self._stop.is_set():
                return
            if topic:
                with self._changed:
                    self._events.append((number, topic))
                    self._newest = number
                    self._changed.notify_all()


def init_app(app: Flask) -> None:
    """Note at each request's start from where its page must hear, before it reads anything."""
    app.extensions["live"] = Listener()

    @app.before_request
    def note() -> None:
        g.heard = events.newest() if request.method == "GET" and role() in HEARD else None

    @app.context_processor
    def words() -> dict[str, object]:
        return {"heard": g.get("heard")}


@screen.get("/live")
@may(*HEARD)
def stream() -> Response:
    """The topics that the role may hear, for as long as the page is open."""
    listener: Listener = current_app.extensions["live"]
    newest = events.newest()
    listener.start(newest)
    after = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    heard = listener.hear(int(after) if after.isdecimal() else newest, newest, _wants(me()))
    if listener.streams >= site().web.threads - SPARE:
        return Response("too many pages are open", 503, {"Retry-After": "5"})
    return Response(
        listener.counted(heard),
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _wants(user: User) -> dict[str, str]:
    own = {f"operator:{user.login}": "operator"} if user.role == "operator" else {}
    return own | {topic: topic for topic in HEARD[user.role]}
