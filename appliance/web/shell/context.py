"""Context of the current request: settings of the site, date, signed-in user."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import current_app, request
from flask_login import current_user

from appliance.core import clock
from appliance.core.settings import Settings

if TYPE_CHECKING:
    from appliance.models import User


def site() -> Settings:
    """Return the settings that the application was created with."""
    settings: Settings = current_app.config["SITE"]
    return settings


def today() -> dt.date:
    """Return the current date in the site's time zone."""
    return clock.now().astimezone(site().tz).date()


def start_of_day(day: dt.date) -> dt.datetime:
    """Return midnight at the beginning of a date, in the site's time zone."""
    return dt.datetime.combine(day, dt.time(), site().tz)


def start_of_today() -> dt.datetime:
    """Return midnight at the beginning of the current date, in the site's time zone."""
    return clock.start_of_day(clock.now(), site().tz)


def start_of_tomorrow() -> dt.datetime:
    """Return midnight at the end of the current date, in the site's time zone."""
    return start_of_day(today() + dt.timedelta(days=1))


def me() -> "User":
    """Return the signed-in user. Public views must not call it: their reader may be anonymous."""
    user: User = current_user.user
    return user


def is_htmx_request() -> bool:
    """Return True if htmx requests a piece (a fragment of HTML) for a page that is open."""
    return request.headers.get("HX-Request") == "true"
