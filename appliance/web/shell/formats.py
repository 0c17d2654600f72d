"""Formats of figures, dates and numbers on the pages: the same in all languages."""

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
from appliance.reports.formatting import NO_BREAK_SPACE, NO_VALUE, format_decimal, format_number
from appliance.reports.formatting import format_clock as clock_of
from appliance.telephony import directory
from appliance.web.shell import number_masks
from appliance.web.shell.context import site
from appliance.web.shell.language import locale

if TYPE_CHECKING:
    from appliance.models import User

_SETTING = re.compile(r"([a-z_]+\.[a-z_]+)|\[{1,2}([a-z_]+)\]{1,2}")  # `links.dns` or `[links]`
# Names of the tables of the configuration file.
_TABLES = frozenset(field.name for field in dataclasses.fields(Settings)) - {"file"}


def date(value: dt.date | dt.datetime | None) -> str:
    """Format a date as 24.11.2026; of a datetime, the date in the site's time zone.

    None is formatted as a dash (NO_VALUE).
    """
    if value is None:
        return NO_VALUE
    return f"{_site_time(value) if isinstance(value, dt.datetime) else value:%d.%m.%Y}"


def moment(value: dt.datetime | None) -> str:
    """Format a datetime as 24.11.2026 14:32, in the site's time zone; None as a dash."""
    return (
        NO_VALUE
        if value is None
        else f"{_site_time(value):%d.%m.%Y}{NO_BREAK_SPACE}{_site_time(value):%H:%M}"
    )


def time(value: dt.datetime | None) -> str:
    """Format a datetime as 14:32, in the site's time zone; None as a dash."""
    return NO_VALUE if value is None else f"{_site_time(value):%H:%M}"


def clock_time(value: dt.datetime | None) -> str:
    """Format a datetime as 14:32:08, in the site's time zone; None as a dash."""
    return NO_VALUE if value is None else f"{_site_time(value):%H:%M:%S}"


def percent(value: float | Decimal | None) -> str:
    """Format a percentage: 86.4 → "86,4 %"; None as a dash."""
    return NO_VALUE if value is None else f"{format_decimal(value)}{NO_BREAK_SPACE}%"


def duration(seconds: float | None) -> str:
    """Format a number of seconds: 222 → "3:42", 3822 → "1:03:42"; None as a dash."""
    return clock_of(seconds)


def phone(value: str | None, *, ours: bool = False) -> str:
    """Format a phone number: +998935550147 → "+998 93 555 01 47"; other numbers stay unchanged.

    The number is masked if this reader sees citizens' numbers masked. `ours`: the number is not a
    citizen's and is never masked. Without a number, returns a dash.
    """
    if not value:
        return NO_VALUE
    text = phone_numbers.grouped_number(value)
    return (text if ours else number_masks.readable_number(text)).replace(" ", NO_BREAK_SPACE)


def person(user: "User") -> str:
    """Return the name of a user in the script of the page's language, Latin or Cyrillic."""
    return accounts.display_name(user, locale())


def number_owner(number: str) -> str:
    """Return the name of the employee (of the directory) or operator with this number.

    If nobody has it, returns the number, formatted and possibly masked by `phone`.
    """
    if entry := directory.employee_of_number(number):
        name: str = entry.name
        return name
    colleagues = (user for user in accounts.active_operators() if user.extension == number)
    return next(map(person, colleagues), "") or phone(number)


def advice(text: str) -> Markup:
    """Format a text of advice to the technician as HTML.

    Commands and settings between back quotes become <code>. After a setting, such as `links.dns`,
    the configuration file and the setting's line in it are added.
    """
    parts = enumerate(text.split("`"))
    return Markup("").join(_code_markup(part) if index % 2 else part for index, part in parts)


def _code_markup(part: str) -> Markup:
    """Format a command or setting as <code>; after a setting, its file and line are added.

    The line is left out if the file does not have the setting.
    """
    code = Markup("<code>{}</code>").format(part)
    match = _SETTING.fullmatch(part)
    setting = match[1] or match[2] if match else ""
    if setting.partition(".")[0] not in _TABLES:
        return code
    file, line = site().file, health.settings_line(site().file, setting)
    place = _("%(file)s, line %(number)s", file=file, number=line) if line else file
    return code + Markup(' <span class="small muted">({})</span>').format(place)


def init_app(app: Flask) -> None:
    """Register the formats as template filters."""
    filters = (date, moment, time, clock_time, percent, duration, phone, person, advice)
    app.jinja_env.filters |= {f.__name__: f for f in filters}
    app.jinja_env.filters |= {
        "clock": clock_time,
        "number": _integer_text,
        "decimal": format_decimal,
    }
    app.jinja_env.globals["this_moment"] = lambda: clock.now().isoformat()


def _integer_text(value: int | None) -> str:
    """Format an integer with its thousands grouped; None as a dash."""
    return NO_VALUE if value is None else format_number(value)


def _site_time(value: dt.datetime) -> dt.datetime:
    """Convert a datetime to the site's time zone."""
    return value.astimezone(site().tz)
