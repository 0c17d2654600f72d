"""How figures, dates and numbers are written on the pages: the same in all languages."""

import dataclasses
import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING

from flask import Flask
from flask_babel import gettext as _
from markupsafe import Markup

from appliance.box import health
from appliance.core import clock, phone_numbers
from appliance.core.settings import Settings
from appliance.people import accounts
from appliance.reports.figures import NO_BREAK, NONE, decimal, number
from appliance.reports.figures import clock as clock_of
from appliance.telephony import directory
from appliance.web.shell import numbers
from appliance.web.shell.context import site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

_SETTING = re.compile(r"([a-z_]+\.[a-z_]+)|\[{1,2}([a-z_]+)\]{1,2}")  # `links.dns` or `[links]`
_TABLES = frozenset(field.name for field in dataclasses.fields(Settings)) - {"file"}


def date(value: dt.date | dt.datetime | None) -> str:
    """24.11.2026, a moment in the site's time zone."""
    if value is None:
        return NONE
    return f"{_local(value) if isinstance(value, dt.datetime) else value:%d.%m.%Y}"


def moment(value: dt.datetime | None) -> str:
    """24.11.2026 14:32, in the site's time zone."""
    return NONE if value is None else f"{_local(value):%d.%m.%Y}{NO_BREAK}{_local(value):%H:%M}"


def time(value: dt.datetime | None) -> str:
    """14:32, in the site's time zone."""
    return NONE if value is None else f"{_local(value):%H:%M}"


def clock_time(value: dt.datetime | None) -> str:
    """14:32:08, in the site's time zone."""
    return NONE if value is None else f"{_local(value):%H:%M:%S}"


def percent(value: float | Decimal | None) -> str:
    """86.4 (per cent) → "86,4 %"."""
    return NONE if value is None else f"{decimal(value)}{NO_BREAK}%"


def duration(seconds: float | None) -> str:
    """222 → "3:42", 3822 → "1:03:42"."""
    return clock_of(seconds)


def phone(value: str | None, *, ours: bool = False) -> str:
    """+998935550147 → "+998 93 555 01 47"; other numbers as they are.

    A citizen's may be masked for who asks; `ours`: it is no citizen's.
    """
    if not value:
        return NONE
    text = phone_numbers.grouped(value)
    return (text if ours else numbers.seen(text)).replace(" ", NO_BREAK)


def person(user: "User") -> str:
    """What a person is called in the reader's script."""
    return accounts.named(user, locale())


def owner(number: str) -> str:
    """Whose number it is: an employee's, a colleague's; else the number."""
    if known := directory.named(number):
        return known.name
    colleagues = (user for user in accounts.operators() if user.extension == number)
    return next(map(person, colleagues), "") or phone(number)


def advice(text: str) -> Markup:
    """A sentence that names commands and settings between back quotes, those set as such; a setting
    with the file and the line where it stands."""
    parts = enumerate(text.split("`"))
    return Markup("").join(_named(part) if odd % 2 else part for odd, part in parts)


def _named(part: str) -> Markup:
    named = Markup("<code>{}</code>").format(part)
    found = _SETTING.fullmatch(part)
    setting = found[1] or found[2] if found else ""
    if setting.partition(".")[0] not in _TABLES:
        return named
    file, line = site().file, health.line_of(site().file, setting)
    place = _("%(file)s, line %(number)s", file=file, number=line) if line else file
    return named + Markup(' <span class="small muted">({})</span>').format(place)


def init_app(app: Flask) -> None:
    """Make them filters of the templates."""
    filters = (date, moment, time, clock_time, percent, duration, phone, person, advice)
    app.jinja_env.filters |= {f.__name__: f for f in filters}
    app.jinja_env.filters |= {"clock": clock_time, "number": _number, "decimal": decimal}
    app.jinja_env.globals["this_moment"] = lambda: clock.now().isoformat()


def _number(value: int | None) -> str:
    return NONE if value is None else number(value)


def _local(value: dt.datetime) -> dt.datetime:
    return value.astimezone(site().tz)
