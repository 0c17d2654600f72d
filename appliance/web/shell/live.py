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
operator, and so is "call:<login>", which is of his call at hand: what no call changes need not hear
it. What many pages show alike is not fetched by each of them, but made once and told with the event
(`streams.Piece`; its section hears a name that is no topic). When the session is ended, its streams
end with the event "ended".
"""

from typing import TYPE_CHECKING

from flask import Blueprint, Flask, Response, abort, current_app, g, request
from flask_login import current_user

from appliance.core import live as events
from appliance.people import sessions
from appliance.web.shell.access import may, role
from appliance.web.shell.context import me
from appliance.web.shell.sent import FAR, whole
from appliance.web.shell.streams import STREAM, HandOver, Streams

if TYPE_CHECKING:
    from appliance.models import User

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

screen = Blueprint("live", __name__)


def init_app(app: Flask) -> None:
    """Note at each request's start from where its page must hear, before it reads anything."""
    app.extensions["live"] = streams = Streams()
    app.wsgi_app = HandOver(app.wsgi_app, streams)  # type: ignore[method-assign,assignment]

    @app.before_request
    def note() -> None:
        if "within" in g:  # noted before its pieces were read
            return
        g.heard = events.newest() if request.method == "GET" and role() in HEARD else None

    @app.context_processor
    def words() -> dict[str, object]:
        return {"heard": g.get("heard")}


@screen.get("/live")
@may("topic.hear")
def stream() -> Response:
    """The topics that the role may hear, for as long as the page is open."""
    streams: Streams = current_app.extensions["live"]
    newest = events.newest()
    after = request.headers.get("Last-Event-ID") or request.args.get("after", "")
    known = whole(after, 0, FAR)
    if not sessions.holds(current_user.session):  # ended since: its topic was before the newest
        abort(401)
    last = sessions.topic(current_user.session)
    begun = streams.begin(str(me().id), known, newest, _wants(me()), last)
    if begun is None:
        return Response("too many pages are open", 503, {"Retry-After": "5"})
    request.environ[STREAM] = begun
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return Response("", mimetype="text/event-stream", headers=headers)


def _wants(user: "User") -> dict[str, str]:
    names = ("operator", "call") if user.role == "operator" else ()
    own = {f"{name}:{user.login}": name for name in names}
    return own | {topic: topic for topic in HEARD[user.role]}
