"""Live pages: the browser is notified which topic changed and fetches the sections that follow it.

How to make a page live (static/live.js does the rest):

    {% from "macros.html" import live %}
    <section id="calls" {{ live(url_for("calls.show_call_list"), "calls") }}>…</section>

The view at that address renders the same section, including its id. When the topic "calls" changes,
htmx fetches the section and morphs it in: typed text, the focus and the scroll position stay. Give
elements that the page itself changes an id, and `hx-morph-skip` to those that must never be touched
(a form inside a live section). When the stream is lost the page says so; when it is back, every
live section is fetched.

Topics are those of appliance.core.live. Two of them concern one operator and are sent only to that
operator: "operator:<login>" under the name "operator", and "call:<login>", for changes of the
current call, under the name "call". A fragment that is the same on many pages is not fetched by
each of them, but rendered once and sent with the event (`streams.PushedFragment`; its section
follows a name that is not a topic). When a session ends, its streams end with the event "ended".
"""

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from flask_login import current_user

from appliance.core import live as events
from appliance.people import sessions
from appliance.web.shell.access import current_role, may
from appliance.web.shell.context import me
from appliance.web.shell.request_data import MAX_DATABASE_INTEGER, parse_integer
from appliance.web.shell.socket_hand_over import STREAM_KEY, SocketHandOver
from appliance.web.shell.streams import EventStreams

if TYPE_CHECKING:
    from appliance.models import User

# Topics about the machine, and about the work of the hotline, which several roles follow.
MACHINE_TOPICS = ("checks", "jobs", "lines")
LEAD_TOPICS = (
    "announcements",
    "appeals",
    "calls",
    "devices",
    "followups",
    "links",
    "operators",
    "people",
)
TOPICS_BY_ROLE = {
    "operator": ("announcements", "calls", "followups", "links", "outbox"),
    "supervisor": (*LEAD_TOPICS, "outbox"),
    "manager": (*LEAD_TOPICS, *MACHINE_TOPICS, "outbox", "changes", "sessions", "evidence"),
    "ministry": ("appeals", "links", "changes", "evidence"),
    "technician": (*MACHINE_TOPICS, "devices", "links", "outbox", "people", "changes", "sessions"),
}

screen = Blueprint("live", __name__)


def init_app(app: Flask) -> None:
    """Create the streams, and store the newest event's id at the start of each page's request.

    That is before the view reads data; the page then follows the events after this one
    (`heard` in templates). The socket of a request that opens a stream is handed over to the
    streams.
    """
    app.extensions["live"] = streams = EventStreams()
    app.wsgi_app = SocketHandOver(app.wsgi_app, streams)  # type: ignore[method-assign]

    @app.before_request
    def store_newest_event() -> None:
        """Store the id of the newest event, None if this page follows no events."""
        if "within" in g:  # a request for a piece (pieces.py): the outer request stored it
            return
        g.newest_event = (
            events.newest_event_id()
            if request.method == "GET" and current_role() in TOPICS_BY_ROLE
            else None
        )

    @app.context_processor
    def live_context() -> dict[str, object]:
        return {"heard": g.get("newest_event")}


@screen.get("/live")
@may("topic.hear")
def open_stream() -> Response:
    """Open a stream that notifies a page of changed topics, of those that the user may follow.

    The argument `after`, or the header Last-Event-ID, is the id of the last event that the page
    knows.
    """
    streams: EventStreams = current_app.extensions["live"]
    newest = events.newest_event_id()
    after = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    last_event_id = parse_integer(after, 0, MAX_DATABASE_INTEGER)
    # Checked after `newest` was read: the stream may not receive the end of a session before it.
    if not sessions.still_exists(current_user.session):
        abort(401)
    end_topic = sessions.session_topic(current_user.session)
    event_stream = streams.open_stream(
        str(me().id), last_event_id, newest, _topic_names(me()), end_topic
    )
    if event_stream is None:
        return Response("too many pages are open", 503, {"Retry-After": "5"})
    request.environ[STREAM_KEY] = event_stream
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response("", mimetype="text/event-stream", headers=headers)


def _topic_names(user: "User") -> dict[str, str]:
    """Return the topics that a user may follow, each with the name that the pages use for it.

    The names differ only for topics of one operator: "call:<login>" is "call" on the pages.
    """
    names = ("operator", "call") if user.role == "operator" else ()
    own_topics = {f"{name}:{user.login}": name for name in names}
    return own_topics | {topic: topic for topic in TOPICS_BY_ROLE[user.role]}
