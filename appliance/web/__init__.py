"""The gunicorn application, its pages and their rights.

How a screen is added: a module with `screen = Blueprint(name, __name__)`, one line in SCREENS,
each view under `@may(...)`, `@anyone` or `@public` (access.py), a tab in navigation.py, and its
routes in tests/web/shell/test_access.py.
"""

import functools
from collections.abc import Callable
from typing import Any

from flask import Flask, g
from werkzeug.middleware.proxy_fix import ProxyFix

from appliance.core import db
from appliance.core.settings import Settings
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
    evidence,
    floor,
    followups,
    of_day,
    registered,
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
    sent,
    shortcuts,
    sizes,
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
    *(live.screen, pieces.screen, health.screen, sizes.screen, assets.screen, commands.screen),
    *(
        login.screen,
        account.screen,
        sign_ins.screen,
        sign_ins.own,
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
        of_day.screen,
        followups.screen,
        call.screen,
        evidence.screen,
        registered.screen,
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


class _Pages(Flask):
    """No function of the pages is a coroutine: what each call would look for is not looked for."""

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(settings: Settings) -> Flask:
    """The pages of one site. Raises access.Undeclared when a view says not who may open it."""
    app = _Pages(__name__, static_folder=None)
    app.url_map.converters["int"] = sent.Number
    app.url_rule_class = addresses.Route
    app.request_class = sizes.BoundedRequest
    app.config.update(
        SITE=settings,
        SECRET_KEY=settings.web.secret_key,
        # The whole session is in the signed cookie, so a killed process signs nobody out.
        SESSION_COOKIE_NAME="__Host-session",
        SESSION_COOKIE_SECURE=True,
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=sessions.LASTS,
        WTF_CSRF_TIME_LIMIT=None,  # as long as the session
        MAX_CONTENT_LENGTH=1024 * 1024,
        PREFERRED_URL_SCHEME="https",
    )
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    is_known = functools.partial(login.is_known_device, app)
    entrance = concurrency.Entrance(app.wsgi_app, settings.web.threads, is_known)
    app.wsgi_app = entrance  # type: ignore[assignment]
    _connect(app, settings)
    for part in (
        sizes,
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
        part.init_app(app)
    for screen in SCREENS:
        app.register_blueprint(screen)
    access.check_declared(app)
    return app


def _connect(app: Flask, settings: Settings) -> None:
    """A connection a request, which pieces of one answer share (pieces.py)."""
    database = db.open_database(settings.paths.database)

    @app.before_request
    def connect() -> None:
        database.connect(reuse_if_open=True)

    @app.teardown_request
    def close(error: BaseException | None) -> None:
        if "within" not in g and not database.is_closed():
            database.close()
