"""The Flask application that gunicorn serves.

A section is a package here, a screen is a blueprint of it. To add a screen, write a module with
`screen = Blueprint(name, __name__)` in a section, add it to the section's SCREENS, decorate each
view with `@may(...)`, `@anyone` or `@public` (shell/access.py), add a tab in shell/navigation.py,
and add its routes to tests/web/shell/test_access.py. What a screen adds to all pages is declared at
its blueprint: `@screen.app_context_processor`, `@screen.record_once`.
"""

import functools
from collections.abc import Callable
from typing import Any

from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix

from appliance.core import db
from appliance.core.settings import Settings
from appliance.messaging.casework_hooks import connect_hooks
from appliance.people import sessions
from appliance.web import (
    api,
    appeals,
    calls,
    commands,
    help,
    knowledge,
    person,
    public,
    reports,
    settings,
    shell,
    status,
    workplace,
)
from appliance.web.person.login import is_known_device
from appliance.web.shell import access, addresses, concurrency, request_data, size_limits

SECTIONS = (
    commands,
    person,
    public,
    api,
    workplace,
    appeals,
    calls,
    reports,
    settings,
    help,
    knowledge,
    status,
)


class _SynchronousFlask(Flask):
    """A Flask application whose views are all synchronous.

    No view is a coroutine, so the check that Flask makes on every call is skipped.
    """

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """Return the view itself, without a check whether it is a coroutine."""
        return func


def create_app(site: Settings) -> Flask:
    """Return the web application of one site.

    Raises UndeclaredAccessError if a view does not declare who may open it.
    """
    app = _SynchronousFlask(__name__, static_folder=None)
    app.url_map.converters["int"] = request_data.BoundedIntegerConverter
    app.url_rule_class = addresses.LazyRule
    app.request_class = size_limits.BoundedRequest
    app.config.update(
        SITE=site,
        SECRET_KEY=site.web.secret_key,
        # The whole session is in the signed cookie, so a killed process does not sign anyone out.
        SESSION_COOKIE_NAME="__Host-session",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=sessions.MAX_SESSION_AGE,
        WTF_CSRF_TIME_LIMIT=None,  # valid as long as the session
        MAX_CONTENT_LENGTH=1024 * 1024,
        PREFERRED_URL_SCHEME="https",
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    app.wsgi_app = concurrency.RequestGate(  # type: ignore[method-assign]
        app.wsgi_app, site.web.threads, functools.partial(is_known_device, app)
    )
    _manage_connections(app, site)
    connect_hooks(site)
    for component in shell.COMPONENTS:
        component.init_app(app)
    for section in (shell, *SECTIONS):
        for screen in section.SCREENS:
            app.register_blueprint(screen)
    access.check_access_declared(app)
    return app


def _manage_connections(app: Flask, site: Settings) -> None:
    """Open one database connection per request, and close it when the request ends.

    Requests within a request (shell/pieces.py) set `g.within` and use the outer one's connection.
    """
    database = db.open_database(site.paths.database)

    @app.before_request
    def open_connection() -> None:
        database.connect(reuse_if_open=True)

    @app.teardown_request
    def close_connection(error: BaseException | None) -> None:
        """Close the connection, unless an outer request still uses it."""
        if "within" not in g and not database.is_closed():
            database.close()
