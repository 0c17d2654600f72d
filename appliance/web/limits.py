"""How often one may try, and how much may be sent."""

from collections.abc import Callable

from flask import Flask, current_app, request
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from appliance.web.access import View

# Only what a view limits by itself; no limit on all pages. Counted in this process's memory, which
# is the only one there is.
limiter = Limiter(get_remote_address, storage_uri="memory://", strategy="moving-window")


def takes_file[V: View](largest: int) -> Callable[[V], V]:
    """Declare a view that takes a file: `largest` bytes may be sent. Stands beside `@may`."""

    def declare(view: V) -> V:
        view.__dict__["largest"] = largest
        return view

    return declare


def init_app(app: Flask) -> None:
    """Widen the limit before anything reads what was sent."""

    @app.before_request
    def widen() -> None:
        view = current_app.view_functions.get(request.endpoint or "")
        if view and "largest" in view.__dict__:
            request.max_content_length = view.__dict__["largest"]
