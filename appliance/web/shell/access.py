"""Who may open what: every view says so itself, or the application does not start."""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.people import rights, second_factor
from appliance.people.accounts import ROLES
from appliance.web.shell.context import is_fragment, site

type View = Callable[..., Any]

EVERYBODY = frozenset({"anonymous", *ROLES})
HOMES = {
    "operator": "/operator",
    "supervisor": "/calls",
    "manager": "/calls",
    "ministry": "/appeals",
    "technician": "/status",
    "backup": "/status",
}

# what must be done before anything else is open (second_factor.step) → where it is done
STEPS = {
    "unlock": "lock.page",
    "prove": "login.second",
    "password": "account.first",
    "enrol": "second_factor.page",
}


class Undeclared(RuntimeError):
    """A view does not say who may open it."""


def may[V: View](*actions: str) -> Callable[[V], V]:
    """Declare what is done in a view, actions of people/rights.py: whoever has a right to one of
    them may open it. Stands under `@screen.get(...)`. Raises KeyError for no action."""
    may_open = rights.roles(*actions)

    def declare(view: V) -> V:
        view.__dict__["actions"] = actions
        return _open_to(view, may_open)

    return declare


def anyone[V: View](view: V) -> V:
    """Declare a view that everybody who is signed in may open."""
    return _open_to(view, ROLES)


def public[V: View](view: V) -> V:
    """Declare a view that needs no login."""
    return _open_to(view, EVERYBODY)


def _open_to[V: View](view: V, roles: Iterable[str]) -> V:
    view.__dict__["who"] = frozenset(roles)
    return view


def before_all[V: View](view: V) -> V:
    """Declare a view that is open whatever must first be done."""
    return at_step(*STEPS)(view)


def at_step[V: View](*steps: str) -> Callable[[V], V]:
    """Declare a view that is open while one of these STEPS must first be done."""

    def declare(view: V) -> V:
        view.__dict__["at_steps"] = frozenset(steps)
        return view

    return declare


def shown_when[V: View](condition: Callable[[], bool]) -> Callable[[V], V]:
    """Declare a page whose tab is shown only while the condition holds."""

    def declare(view: V) -> V:
        view.__dict__["shown_when"] = condition
        return view

    return declare


def role() -> str:
    """The role that asks, or "anonymous"."""
    return current_user.user.role if current_user.is_authenticated else "anonymous"


def allowed(endpoint: str) -> bool:
    """Whether the role that asks may open this endpoint."""
    return role() in current_app.view_functions[endpoint].__dict__["who"]


def shown(endpoint: str) -> bool:
    """Whether the tab of an endpoint is shown to the role that asks."""
    condition = current_app.view_functions[endpoint].__dict__.get("shown_when")
    return allowed(endpoint) and (condition is None or condition())


def init_app(app: Flask) -> None:
    """Check each request before its view runs."""
    app.before_request(_guard)


def check_declared(app: Flask) -> None:
    """Raise Undeclared for views that say not who may open them."""
    silent = sorted(e for e, view in app.view_functions.items() if "who" not in view.__dict__)
    if silent:
        raise Undeclared(f"who may open {', '.join(silent)}? Declare it with access.may")


def _guard() -> BaseResponse | None:
    if request.endpoint is None:
        return None  # the router's own answer, 404 or 405, follows
    if first := _to_do_first():
        return _lead_there(first, request.endpoint)
    if allowed(request.endpoint):
        return None
    if role() != "anonymous":
        abort(403)
    return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]


def _to_do_first() -> str:
    """What whoever asks must do before anything else is open to him, one of STEPS; "" nothing."""
    if not current_user.is_authenticated:
        return ""
    if "first" not in g:  # the same for all pieces of an answer
        g.first = second_factor.step(
            site().sign_in, current_user.session, request.remote_addr or ""
        )
    first: str = g.first
    return first


def _lead_there(step: str, endpoint: str) -> BaseResponse | None:
    """To the page where the step is done; what is no page of its own is refused."""
    view = current_app.view_functions[endpoint].__dict__
    if view["who"] == EVERYBODY or step in view.get("at_steps", ()):
        return None
    piece = is_fragment() or endpoint == "live.stream"
    if step == "unlock" and (piece or request.method != "GET"):  # as one who is signed out
        return current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
    if piece:
        abort(403)
    asked_for = request.full_path.rstrip("?") if request.method == "GET" else None
    leads_back = step in ("unlock", "prove")
    return redirect(url_for(STEPS[step], next=asked_for if leads_back else None), 303)
