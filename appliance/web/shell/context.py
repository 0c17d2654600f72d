"""What a view asks of its surroundings: the site's settings, and who is signed in."""

import datetime as dt
from typing import TYPE_CHECKING

from flask import current_app, request
from flask_login import current_user

from appliance.core import clock
from appliance.core.settings import Settings

if TYPE_CHECKING:
    from appliance.models import User


def site() -> Settings:
    """The settings that the application was made with."""
    return current_app.config["SITE"]


def today() -> dt.date:
    """The site's date."""
    return clock.now().astimezone(site().tz).date()


def midnight() -> dt.datetime:
    """When the site's date began."""
    return dt.datetime.combine(today(), dt.time(), site().tz)


def me() -> "User":
    """Who is signed in; only for views that are not public."""
    return current_user.user


def is_fragment() -> bool:
    """Whether htmx asks, for a piece of a page that is open."""
    return request.headers.get("HX-Request") == "true"
