"""Several pieces of an open page in one response: an event often concerns many of them at once.

A piece is a fragment of HTML that has its own address.

static/pieces.js requests them: GET /pieces?at=/operator/bar&at=/operator/state returns a JSON list
in the same order, each piece as its own address would return it. If an address would respond with a
refusal, a redirect or a file, its piece is null, and the page requests that address itself.

Each piece is handled as a request within the request: rights, limits and the audit are those of its
own address. The pieces share the database connection, the session, the signed-in user and the
values that were computed for other pieces (`g`).
"""

import re
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Flask, Response, abort, current_app, g, jsonify, request
from flask.ctx import RequestContext
from flask.globals import request_ctx

from appliance.web.shell.access import may
from appliance.web.shell.context import is_htmx_request

MAX_PIECES = 24  # per request; a page has about ten
_ADDRESS_PATTERN = re.compile(r"/(?!/)[!-~]{0,2000}")

screen = Blueprint("pieces", __name__)


@screen.get("/pieces")
@may("topic.hear")
def list_pieces() -> Response:
    """Return the pieces at the addresses `at`, as a JSON list in the same order (see above).

    Aborts with 400 if an address is invalid, or if there are no addresses or too many.
    """
    addresses = request.args.getlist("at")
    if not is_htmx_request() or "within" in g or not 0 < len(addresses) <= MAX_PIECES:
        abort(400)
    if not all(_ADDRESS_PATTERN.fullmatch(address) for address in addresses):
        abort(400)
    g.within = True  # its connection is closed with the outer request
    try:
        pieces = [_render_piece(address) for address in addresses]
    finally:
        del g.within
    return jsonify(pieces)


def _render_piece(address: str) -> str | None:
    """Return the HTML at an address of this site, unless the page must request it itself.

    That is so for a long-running view, a refusal, a redirect and anything that is not HTML.
    """
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    parts = urlsplit(address)
    environ = {
        name: value for name, value in request.environ.items() if not name.startswith("werkzeug.")
    }
    environ |= {
        "PATH_INFO": unquote(parts.path, "latin-1"),
        "QUERY_STRING": parts.query,
        "REQUEST_URI": address,
        "RAW_URI": address,
    }
    with RequestContext(app, environ, session=request_ctx.session):
        view = app.view_functions.get(request.endpoint or "")
        if not view or "works_long" in view.__dict__:
            return None
        response = app.full_dispatch_request()
        if response.status_code != 200 or response.is_streamed or response.mimetype != "text/html":
            response.close()
            return None
        return response.get_data(as_text=True)
