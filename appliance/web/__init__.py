"""The Flask application that gunicorn serves: its pages and their rights.

To add a screen, write a module with `screen = Blueprint(name, __name__)`, add one line to SCREENS,
decorate each view with `@may(...)`, `@anyone` or `@public` (access.py), add a tab in navigation.py,
and add its routes to tests/web/shell/test_access.py.
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
from appliance.web.api import views
from appliance.web.appeals import (
    card,
    consultations,
    data_requests,
    handling,
    lookup,
    portal,
    readers,
)
from appliance.web.calls import (
    announcements,
    call,
    callbacks,
    daily_calls,
    evidence,
    floor,
    followups,
    registered_calls,
)
from appliance.web.commands import page as commands
from appliance.web.help import figures
from appliance.web.knowledge import editing, reading
from appliance.web.person import account, lock, login, openid, passkeys, second_factor
from appliance.web.person import sessions as sign_ins
from appliance.web.public import phones, rating
from appliance.web.reports import accesses, capacity, issued, minutes, staff_records, telephony
from appliance.web.reports import forms as report_forms
from appliance.web.settings import (
    calendar,
    changes,
    departments,
    desk_phones,
    directory,
    keys,
    line,
    lists,
    people,
    prompts,
    rights,
    routing,
    workday,
)
from appliance.web.settings import forms as form_versions
from appliance.web.settings import scripts as script_versions
from appliance.web.shell import (
    access,
    addresses,
    assets,
    concurrency,
    disclosure,
    errors,
    formats,
    headers,
    health,
    in_place,
    language,
    live,
    navigation,
    pieces,
    request_data,
    shortcuts,
    size_limits,
)
from appliance.web.status import (
    audit,
    backups,
    held_messages,
    links,
    ministry,
    notices,
    outbox,
    retention,
    sms,
    sms_templates,
    system,
)
from appliance.web.workplace import (
    caller,
    choices,
    desk,
    forms,
    messages,
    number_notes,
    own_day,
    phone,
    scripts,
    states,
    transfers,
)

SCREENS = (
    *(
        live.screen,
        pieces.screen,
        health.screen,
        size_limits.screen,
        assets.screen,
        commands.screen,
    ),
    *(
        login.screen,
        account.screen,
        sign_ins.screen,
        sign_ins.own_screen,
        second_factor.screen,
        lock.screen,
        passkeys.screen,
        openid.screen,
    ),
    *(rating.screen, phones.screen, views.screen),
    *(desk.screen, caller.screen, phone.screen, states.screen, transfers.screen, forms.screen),
    *(choices.screen, messages.screen, number_notes.screen, callbacks.screen, own_day.screen),
    *(scripts.screen, script_versions.screen),
    *(portal.screen, lookup.screen, consultations.screen, handling.screen, card.screen),
    *(readers.screen, data_requests.screen),
    *(
        floor.screen,
        announcements.screen,
        daily_calls.screen,
        followups.screen,
        call.screen,
        evidence.screen,
        registered_calls.screen,
    ),
    *(report_forms.screen, telephony.screen, minutes.screen, capacity.screen),
    *(issued.screen, staff_records.screen, accesses.screen),
    *(routing.screen, directory.screen, prompts.screen, line.screen),
    *(
        people.screen,
        rights.screen,
        desk_phones.screen,
        departments.screen,
        form_versions.screen,
        lists.screen,
    ),
    *(calendar.screen, keys.screen, changes.screen, workday.screen, figures.screen),
    *(reading.screen, editing.screen),
    *(outbox.screen, held_messages.screen, ministry.screen, notices.screen),
    *(sms_templates.screen, sms.screen),
    *(system.screen, links.screen, backups.screen, retention.screen, audit.screen),
)


class _SynchronousFlask(Flask):
    """A Flask application whose views are all synchronous.

    No view is a coroutine, so the check that Flask makes on every call is skipped.
    """

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings) -> Flask:
    """Return the web application of one site.

    Raises an error of access.py at start if a view does not declare who may open it.
    """
    app = _SynchronousFlask(__name__, static_folder=None)
    app.url_map.converters["int"] = request_data.BoundedIntegerConverter
    app.url_rule_class = addresses.LazyRule
    app.request_class = size_limits.BoundedRequest
    app.config.update(
        SITE=settings,
        SECRET_KEY=settings.web.secret_key,
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
    is_known = functools.partial(login.is_known_device, app)
    entrance = concurrency.RequestGate(app.wsgi_app, settings.web.threads, is_known)
    app.wsgi_app = entrance  # type: ignore[method-assign]
    _manage_connections(app, settings)
    connect_hooks(settings)
    for component in (
        size_limits,
        concurrency,
        language,
        login,
        formats,
        assets,
        navigation,
        shortcuts,
        headers,
        errors,
        live,
        health,
        links,
        disclosure,
        in_place,
        access,
        sign_ins,
        lock,
        passkeys,
        openid,
        desk,
        own_day,
        phone,
        changes,
    ):
        component.init_app(app)
    for screen in SCREENS:
        app.register_blueprint(screen)
    access.check_access_declared(app)
    return app


def _manage_connections(app: Flask, settings: Settings) -> None:
    """Open one database connection per request; pieces of one response share it (pieces.py)."""
    database = db.open_database(settings.paths.database)

    @app.before_request
    def open_connection() -> None:
        database.connect(reuse_if_open=True)

    @app.teardown_request
    def close_connection(error: BaseException | None) -> None:
        if "within" not in g and not database.is_closed():
            database.close()
