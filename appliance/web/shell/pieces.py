"""Several pieces of an open page in one answer: what happens concerns many of them at once.

static/pieces.js asks for them: GET /pieces?at=/operator/bar&at=/operator/state answers by a JSON
list in the same order, each piece as its own address would give it. What that would refuse, lead
elsewhere or send as a file is null here, and the page asks that address itself.

Each is a request within the request: rights, limits and the audit are those of its own address.
They share one connection, the session, the reader and what was worked out for the other pieces
(`g`).
"""

import re
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from flask.ctx import RequestContext
from flask.globals import request_ctx

from appliance.web.shell.access import may
from appliance.web.shell.context import is_fragment

MOST = 24  # of a page; it has some ten
_ADDRESS = re.compile(r"/(?!/)[!-~]{0,2000}")

screen = Blueprint("pieces", __name__)


@screen.get("/pieces")
@may("topic.hear")
def several() -> Response:
    """The pieces at these addresses."""
    asked = request.args.getlist("at")
    if not is_fragment() or "within" in g or not 0 < len(asked) <= MOST:
        abort(400)
    if not all(_ADDRESS.fullmatch(at) for at in asked):
        abort(400)
    g.within = True  # its connection is closed with the request around it
    try:
        pieces = [_piece(at) for at in asked]
    finally:
        del g.within
    return jsonify(pieces)


def _piece(at: str) -> str | None:
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    parts = urlsplit(at)
    environ = {name: of for name, of in request.environ.items() if not name.startswith("werkzeug.")}
    environ |= {
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "REQUEST_URI": at,
        "RAW_URI": at,
    }
    with RequestContext(app, environ, session=request_ctx.session):
        view = app.view_functions.get(request.endpoint or "")
        if not view or "works_long" in view.__dict__:
            return None
        answer = app.full_dispatch_request()
        if answer.status_code != 200 or answer.is_streamed or answer.mimetype != "text/html":
            answer.close()
            return None
        return answer.get_data(as_text=True)
