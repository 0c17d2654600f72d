"""The ways out of the box, and the site's tests of itself, for the technician."""

import datetime as dt
from typing import Any

from flask import Blueprint, Flask, render_template
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from appliance.box import health, links, selftests
from appliance.core import clock, outbox
from appliance.reports import services
from appliance.web.shell.access import anyone, may
from appliance.web.shell.context import site

screen = Blueprint("links", __name__, url_prefix="/links")

SEEN: dict[str, LazyString] = {
    "answers": _l("answers"),
    "timeout": _l("no answer in time"),
    "refused": _l("the connection is refused"),
    "unreachable": _l("there is no way there"),
    "no_name": _l("its name is not found"),
    "no_gateway": _l("the box has no default gateway"),
    "not_allowed": _l("the box may not ask (net.ipv4.ping_group_range)"),
}
TESTS: dict[str, LazyString] = {
    "call": _l("Test call"),
    "offline": _l("Drill without the internet"),
}
SHOWN = dt.timedelta(days=31)


def init_app(app: Flask) -> None:
    """Give every page the banner's facts."""

    @app.context_processor
    def words() -> dict[str, object]:
        return {"internet_outage": outage}


def outage() -> dict[str, object] | None:
    """Since when there is no internet, and how many messages wait; None while there is."""
    since = links.outage(site()) if current_user.is_authenticated else None
    return {"since": since, "waiting": sum(a.waiting for a in outbox.ages())} if since else None


@screen.get("")
@may("status.read")
def page() -> str:
    """Each link now and its log, the measured rate, the tests."""
    return render_template("links/page.html", **_looked())


@screen.get("/list")
@may("status.read")
def listed() -> str:
    """The same, as a piece of the open page."""
    return render_template("links/list.html", **_looked())


@screen.get("/banner")
@anyone
def banner() -> str:
    """The banner of all pages, when it changes."""
    return render_template("links/banner.html")


def _looked() -> dict[str, Any]:
    now, tests = clock.now(), selftests.recent()
    return {
        "parties": links.watched(site()),
        "current": links.current(site()),
        "ways": health.channels(site()),
        "name": links.title,
        "seen": SEEN,
        "available": {a.link: a for a in services.availability(now - SHOWN, now)},
        "log": links.recent(),
        "rates": services.rates(now - SHOWN, now)[::-1],
        "rate_url": site().links.rate_url,
        "agreed": services.AGREED,
        "tests": tests,
        "test_names": {test.kind: _name_of(test.kind) for test in tests},
        "failures": selftests.FAILURES,
        "now": now,
    }


def _name_of(kind: str) -> str:
    """A kind of test, in the reader's language."""
    if kind.startswith(selftests.CARRIER):
        trunk = kind.removeprefix(selftests.CARRIER)
        return gettext("Test call over trunk %(trunk)s", trunk=trunk)
    return str(TESTS[kind])
