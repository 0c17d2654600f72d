"""Who may open which view.

Every view declares who may open it; the application does not start if one does not.
"""

from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, abort, current_app, g, redirect, request, url_for
from flask_login import current_user
from werkzeug.wrappers import Response as BaseResponse

from appliance.core.settings import ROLES
from appliance.people import rights, second_factor
from appliance.web.shell.context import is_htmx_request, site

type View = Callable[..., Any]

EVERYBODY = frozenset({"anonymous", *ROLES})
HOME_PATHS = {
    "operator": "/operator",
    "supervisor": "/calls",
    "manager": "/calls",
    "ministry": "/appeals",
    "technician": "/status",
    "backup": "/status",
}

# By sign-in step that is required before anything else is open (second_factor.required_step): the
# endpoint where it is done.
STEP_ENDPOINTS = {
    "unlock": "lock.show_lock_page",
    "prove": "login.show_code_form",
    "password": "account.show_first_password_form",
    "enrol": "second_factor.show_second_factor",
}


class UndeclaredAccessError(RuntimeError):
    """A view does not declare who may open it."""


def may[V: View](*actions: str) -> Callable[[V], V]:
    """Declare a view that is open to the roles with a right to any of these actions.

    The actions are those of people/rights.py. Place it below `@screen.get(...)`. Raises KeyError if
    an action does not exist.
    """
    allowed_roles = rights.allowed_roles(*actions)

    def mark_view(view: V) -> V:
        view.__dict__["actions"] = actions
        return _allow_roles(view, allowed_roles)

    return mark_view


def anyone[V: View](view: V) -> V:
    """Declare a view that every signed-in user may open."""
    return _allow_roles(view, ROLES)


def public[V: View](view: V) -> V:
    """Declare a view that needs no sign-in."""
    return _allow_roles(view, EVERYBODY)


def _allow_roles[V: View](view: V, roles: Iterable[str]) -> V:
    """Store the roles that may open a view; returns the view."""
    view.__dict__["who"] = frozenset(roles)
    return view


def open_at_any_sign_in_step[V: View](view: V) -> V:
    """Declare a view that is open even while a step of signing in is required, whichever it is."""
    return open_at_sign_in_step(*STEP_ENDPOINTS)(view)


def open_at_sign_in_step[V: View](*steps: str) -> Callable[[V], V]:
    """Declare a view that is open while one of these steps of signing in is still required."""

    def mark_view(view: V) -> V:
        view.__dict__["at_steps"] = frozenset(steps)
        return view

    return mark_view


def show_tab_when[V: View](condition: Callable[[], bool]) -> Callable[[V], V]:
    """Declare a page whose tab is shown only while `condition()` is true.

    The page itself can still be opened by its address.
    """

    def mark_view(view: V) -> V:
        view.__dict__["shown_when"] = condition
        return view

    return mark_view


def current_role() -> str:
    """Return the role of the signed-in user, or "anonymous"."""
    return current_user.user.role if current_user.is_authenticated else "anonymous"


def can_open(endpoint: str) -> bool:
    """Return True if the current role may open this endpoint."""
    return current_role() in current_app.view_functions[endpoint].__dict__["who"]


def is_tab_shown(endpoint: str) -> bool:
    """Return True if the current role may open an endpoint and the condition of its tab is true.

    The condition is that of `show_tab_when`; most tabs have no condition.
    """
    condition = current_app.view_functions[endpoint].__dict__.get("shown_when")
    return can_open(endpoint) and (condition is None or condition())


def init_app(app: Flask) -> None:
    """Register the check, before each view, whether the user may open it."""
    app.before_request(_check_request)


def check_access_declared(app: Flask) -> None:
    """Raise UndeclaredAccessError if any view does not declare who may open it."""
    undeclared = sorted(e for e, view in app.view_functions.items() if "who" not in view.__dict__)
    if undeclared:
        raise UndeclaredAccessError(
            f"who may open {', '.join(undeclared)}? Declare it with access.may"
        )


def _check_request() -> BaseResponse | None:
    """Let the request pass, redirect to a due sign-in step, abort with 403 or ask to sign in.

    Returns None if the request may pass.
    """
    if request.endpoint is None:
        return None  # the router's own response, 404 or 405, follows
    if required_step := _required_step():
        return _redirect_to_step(required_step, request.endpoint)
    if can_open(request.endpoint):
        return None
    if current_role() != "anonymous":
        abort(403)
    return _require_sign_in()


def _required_step() -> str:
    """Return the sign-in step that is due before other pages open, or "" if no step is due.

    A step is a key of STEP_ENDPOINTS. No step is due for a visitor who has not signed in.
    """
    if not current_user.is_authenticated:
        return ""
    if "required_step" not in g:  # the same for all pieces of one response
        g.required_step = second_factor.required_step(
            site().sign_in, current_user.session, request.remote_addr or ""
        )
    step: str = g.required_step
    return step


def _require_sign_in() -> BaseResponse:
    """Return the response to a visitor who has not signed in (redirect_to_login in login.py)."""
    response: BaseResponse = current_app.login_manager.unauthorized()  # type: ignore[attr-defined]
    return response


def _redirect_to_step(step: str, endpoint: str) -> BaseResponse | None:
    """Redirect to the page of the sign-in step that is due (a key of STEP_ENDPOINTS).

    Returns None if the requested page is open at this step. Only whole pages are redirected: a
    request for a part of a page, or for its stream of events, is refused.
    """
    view_attributes = current_app.view_functions[endpoint].__dict__
    if view_attributes["who"] == EVERYBODY or step in view_attributes.get("at_steps", ()):
        return None
    piece = is_htmx_request() or endpoint == "live.open_stream"
    if step == "unlock" and (piece or request.method != "GET"):  # as if signed out
        return _require_sign_in()
    if piece:
        abort(403)
    requested_path = request.full_path.rstrip("?") if request.method == "GET" else None
    returns_afterwards = step in ("unlock", "prove")
    return redirect(
        url_for(STEP_ENDPOINTS[step], next=requested_path if returns_afterwards else None), 303
    )
