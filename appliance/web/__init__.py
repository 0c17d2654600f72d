"""The gunicorn application, its pages and their rights.

How a screen is added: a module with `screen = Blueprint(name, __name__)`, one line in SCREENS,
each view under `@may(...)`, `@anyone` or `@public` (access.py), a tab in navigation.py, and its
routes in tests/web/test_access.py.
"""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from appliance import db
from appliance.settings import Settings
from appliance.web import (
    access,
    account,
    analytics,
    api,
    appeals,
    assets,
    call,
    calls,
    capacity,
    choices,
    departments,
    directory,
    errors,
    floor,
    followups,
    formats,
    forms,
    handling,
    headers,
    health,
    issued,
    keys,
    language,
    limits,
    links,
    live,
    login,
    ministry,
    minutes,
    navigation,
    notices,
    operator,
    outbox,
    passing,
    plan,
    portal,
    prompts,
    rating,
    reports,
    retention,
    sms,
    staff_records,
    status,
)

SCREENS = (
    login.screen,
    account.screen,
    operator.screen,
    passing.screen,
    forms.screen,
    choices.screen,
    portal.screen,
    handling.screen,
    appeals.screen,
    floor.screen,
    calls.screen,
    followups.screen,
    call.screen,
    directory.screen,
    plan.screen,
    reports.screen,
    analytics.screen,
    minutes.screen,
    capacity.screen,
    issued.screen,
    staff_records.screen,
    departments.screen,
    keys.screen,
    api.screen,
    outbox.screen,
    ministry.screen,
    notices.screen,
    sms.screen,
    rating.screen,
    prompts.screen,
    status.screen,
    links.screen,
    retention.screen,
    live.screen,
    health.screen,
    assets.screen,
)

SHIFT = 16 * 3600  # seconds that a sign-in lasts: the longest shift, and some


def create_app(settings: Settings) -> Flask:
    """The pages of one site. Raises access.Undeclared when a view says not who may open it."""
    app = Flask(__name__)
    app.config.update(
        SITE=settings,
        SECRET_KEY=settings.web.secret_key,
        # The whole session is in the signed cookie, so a killed process signs nobody out.
        SESSION_COOKIE_NAME="__Host-session",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=SHIFT,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        MAX_CONTENT_LENGTH=1024 * 1024,
        PREFERRED_URL_SCHEME="https",
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1, x_host=1)  # type: ignore[method-assign]
    _connect(app, settings)
    for part in (
        limits,
        language,
        login,
        formats,
        assets,
        navigation,
        headers,
        errors,
        live,
        health,
        links,
        access,
    ):
        part.init_app(app)
    for screen in SCREENS:
        app.register_blueprint(screen)
    access.check_declared(app)
    return app


def _connect(app: Flask, settings: Settings) -> None:
    """A connection a request; a stream of events holds none (live.py)."""
    database = db.open_database(settings.paths.database)

    @app.before_request
    def connect() -> None:
        database.connect(reuse_if_open=True)

    @app.teardown_request
    def close(error: BaseException | None) -> None:
        if not database.is_closed():
            database.close()
