"""Dates, figures and numbers in the local notation."""

import datetime as dt
from decimal import Decimal

import pytest

from appliance.web.shell import formats

NIGHT_UTC = dt.datetime(2026, 11, 24, 19, 5, 59, tzinfo=dt.UTC)  # 00:05 of the next day in Tashkent


@pytest.fixture(autouse=True)
def request_context(app):
    """A request context, for the formats that need one."""
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    ("format", "value", "text"),
    [
        (formats.date, dt.date(2026, 11, 4), "04.11.2026"),
        (formats.date, NIGHT_UTC, "25.11.2026"),
        (formats.date, None, "–"),
        (formats.moment, NIGHT_UTC, "25.11.2026\u00a000:05"),
        (formats.moment, None, "–"),
        (formats.time, NIGHT_UTC, "00:05"),
        (formats.percent, Decimal("86.4"), "86,4\u00a0%"),
        (formats.percent, 0.0, "0,0\u00a0%"),
        (formats.percent, None, "–"),
        (formats.duration, 222, "3:42"),
        (formats.duration, 0.4, "0:00"),
        (formats.duration, 59.6, "1:00"),
        (formats.duration, 3822, "1:03:42"),
        (formats.duration, None, "–"),
        (formats.phone, "+998935550147", "+998\u00a093\u00a0555\u00a001\u00a047"),
        (formats.phone, "1006", "1006"),
        (formats.phone, None, "–"),
        (formats.advice, "Run `a <b>` & wait", "Run <code>a &lt;b&gt;</code> &amp; wait"),
    ],
)
def test_each_format(format, value, text) -> None:
    assert format(value) == text


@pytest.mark.parametrize(("value", "text"), [(20379, "20\u00a0379"), (0, "0"), (None, "–")])
def test_the_number_filter(app, value, text) -> None:
    assert app.jinja_env.filters["number"](value) == text
