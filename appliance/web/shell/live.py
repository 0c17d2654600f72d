"""Live pages: the browser is told which topic changed, and fetches that piece of the page anew.

How a page is made live (static/live.js does the rest):

    {% from "macros.html" import live %}
    <section id="calls" {{ live(url_for("calls.table"), "calls") }}>…</section>

The view behind that address renders the same section, its id included. When the topic "calls"
comes, htmx fetches it and morphs it in: what is typed, the focus and the scroll place stay. Give
elements that the page itself changes an id, and `hx-morph-skip` to those that must never be touched
(a form in the middle of a live section). When the stream is lost the page says so; when it is back
every live section is fetched.

Topics are those of appliance.core.live; here "operator:<login>" is sent as "operator", only to that
operator. When the session is ended, its streams end with the event "ended".
"""

import contextlib
import itertools
import logging
import threading
import time
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from flask_login import current_user

from appliance.core import db
from appliance.core import live as events
from appliance.people import sessions
from appliance.web.shell.access import may, role
from appliance.web.shell.concurrency import Places
from appliance.web.shell.context import me
from appliance.web.shell.sent import FAR, whole

if TYPE_CHECKING:
    from appliance.models import User

log = logging.getLogger(__name__)

MACHINE = ("checks", "jobs", "lines")
LEADS = (
    "announcements",
    "appeals",
    "calls",
    "devices",
    "followups",
    "links",
    "operators",
    "people",
)
HEARD = {
    "operator": ("announcements", "calls", "followups", "links", "outbox"),
    "supervisor": (*LEADS, "outbox"),
    "manager": (*LEADS, *MACHINE, "outbox", "changes", "sessions", "evidence"),
    "ministry": ("appeals", "links", "changes", "evidence"),
    "technician": (*MACHINE, "devices", "links", "outbox", "people", "changes", "sessions"),
}
KEPT = 1000  # events remembered for streams that come back
BEAT = 10.0  # seconds between signs of life: the browser must notice a line that is dead but open
LASTS = 900.0  # seconds; then the browser comes again, and its right to hear is checked again
SPARE = 64  # threads that streams leave to the pages
OF_ONE = 8  # streams of one person: the newest, for a browser does not tell that a page was left
ENDING = 8  # streams of one person that have been told to end, and still hold their threads
LATER = 30_000  # ms after which a page whose stream was ended for a newer one tries again

screen = Blueprint("live", __name__)


class Listener:
    """The one reader of the events; streams wait for it, and hold no connection themselves.

    A stream is woken only by what it hears: most of what happens concerns few of many pages.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ears: defaultdict[str, set[threading.Condition]] = defaultdict(set)  # by topic
        self._events: deque[tuple[int, str]] = deque(maxlen=KEPT)
        self._newest = 0
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self, newest: int) -> None:
        """Begin to read, once; `newest` is the last event that nobody needs any more."""
        with self._lock:
            if self._thread is None:
                self._newest = newest
                self._thread = threading.Thread(target=self._read, name="live", daemon=True)
                self._thread.start()

    def stop(self) -> None:
        """End the reading, and with it every stream."""
        self._stop.set()
        self._wake_all()
        if self._thread:
            self._thread.join()

    def end(self, over: threading.Event) -> None:
        """End the one stream that was given this event."""
        over.set()
        self._wake_all()

    def hear(
        self, after: int, newest: int, wants: dict[str, str], over: threading.Event, last: str = ""
    ) -> Iterator[str]:
        """Server-sent events after the event `after`; `wants`: topic → what it is called there.

        `newest` is the last event there is. When events were forgotten meanwhile, or the numbers
        began again, "refresh" tells the page to fetch everything. `over` ends it: see `end`; so
        does the topic `last`.
        """
        until, told = time.monotonic() + LASTS, 0.0
        yield "retry: 1000\n\n"
        with self._lock:
            forgotten = not self._forgotten() <= after <= newest
            after = self._newest if forgotten else after
        if forgotten:
            yield f"id: {after}\nevent: refresh\ndata:\n\n"
        heard = {*wants, last}
        with self._listening(heard) as bell:
            while time.monotonic() < until and not self._stop.is_set():
                if over.is_set():
                    yield f"retry: {LATER}\n\n"
                    return
                with bell:
                    if heard.isdisjoint(self._since(after)) and not over.is_set():
                        bell.wait(max(told + BEAT - time.monotonic(), 0))
                    topics = self._since(after)
                    after = max(after, self._newest)
                if last in topics:
                    yield "event: ended\ndata:\n\n"
                    return
                names = dict.fromkeys(wants[topic] for topic in topics if topic in wants)
                for name in names:
                    yield f"id: {after}\nevent: topic\ndata: {name}\n\n"
                if not names and time.monotonic() >= told + BEAT:
                    yield f"id: {after}\nevent: beat\ndata:\n\n"
                    told = time.monotonic()

    @contextlib.contextmanager
    def _listening(self, heard: Iterable[str]) -> Iterator[threading.Condition]:
        """What is notified, until the end, of each event of these topics."""
        bell = threading.Condition(self._lock)
        with bell:
            for topic in heard:
                self._ears[topic].add(bell)
        try:
            yield bell
        finally:
            with bell:
                for topic in heard:
                    self._ears[topic].discard(bell)
                    if not self._ears[topic]:
                        del self._ears[topic]

    def _wake_all(self) -> None:
        with self._lock:
            for bell in set().union(*self._ears.values()):
                bell.notify()

    def _since(self, after: int) -> list[str]:
        """The topics of the events after one, the oldest first; few, among many remembered."""
        late = itertools.takewhile(lambda event: event[0] > after, reversed(self._events))
        return [topic for _number, topic in late][::-1]

    def _forgotten(self) -> int:
        """The newest event that is not remembered."""
        return self._events[0][0] - 1 if self._events else self._newest

    def _read(self) -> None:
        while not self._stop.is_set():
            try:
                self._follow(events.follow(self._newest, quiet=0.2))
            except db.Error:
                log.exception("the live events cannot be read; trying again")
                self._stop.wait(1.0)
            finally:
                db.database.close()

    def _follow(self, followed: Iterator[tuple[int, str]]) -> None:
        for number, topic in followed:
            if self._stop.is_set():
                return
            if topic:
                with self._lock:
                    self._events.append((number, topic))
                    self._newest = number
                    for bell in self._ears.get(topic, ()):
                        bell.notify()


class Streams:
    """The open streams: how many there may be, and those of one person from old to new."""

    def __init__(self, listener: Listener, most: int) -> None:
        self._listener = listener
        self._places = Places(most, OF_ONE + ENDING)
        self._lock = threading.Lock()
        self._open: defaultdict[str, list[threading.Event]] = defaultdict(list)

    def take(self, who: str) -> threading.Event | None:
        """What ends the new stream; None when there is no place. The person's oldest may end."""
        if not self._places.take(who):
            return None
        over = threading.Event()
        with self._lock:
            ours = self._open[who]
            ours.append(over)
            old = [one for one in ours if not one.is_set()][:-OF_ONE]
            for one in old:
                self._listener.end(one)
        return over

    def leave(self, who: str, over: threading.Event) -> None:
        """A stream has ended; to say so again changes nothing."""
        with self._lock:
            if over not in self._open[who]:
                return
            self._open[who].remove(over)
            if not self._open[who]:
                del self._open[who]
        self._places.leave(who)


def init_app(app: Flask) -> None:
    """Note at each request's start from where its page must hear, before it reads anything."""
    app.extensions["live"] = listener = Listener()
    threads = app.config["SITE"].web.threads
    app.extensions["streams"] = Streams(listener, max(threads - SPARE, 1))

    @app.before_request
    def note() -> None:
        g.heard = events.newest() if request.method == "GET" and role() in HEARD else None

    @app.context_processor
    def words() -> dict[str, object]:
        return {"heard": g.get("heard")}


@screen.get("/live")
@may("topic.hear")
def stream() -> Response:
    """The topics that the role may hear, for as long as the page is open."""
    listener: Listener = current_app.extensions["live"]
    streams: Streams = current_app.extensions["streams"]
    newest = events.newest()
    listener.start(newest)
    after = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    known = whole(after, 0, FAR)
    if not sessions.holds(current_user.session):  # ended since: its topic was before the newest
        abort(401)
    who = str(me().id)
    over = streams.take(who)
    if over is None:
        return Response("too many pages are open", 503, {"Retry-After": "5"})
    begin, last = newest if known is None else known, sessions.topic(current_user.session)
    heard = listener.hear(begin, newest, _wants(me()), over, last)
    answer = Response(
        heard,
        mimetype="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )
    answer.call_on_close(lambda: streams.leave(who, over))
    return answer


def _wants(user: "User") -> dict[str, str]:
    own = {f"operator:{user.login}": "operator"} if user.role == "operator" else {}
    return own | {topic: topic for topic in HEARD[user.role]}
