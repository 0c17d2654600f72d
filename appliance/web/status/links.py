"""The links page for technicians: the network links, and the site's self-tests."""

import datetime as dt
from typing import Any

from flask import Blueprint, render_template
from flask_babel import LazyString, gettext
from flask_babel import lazy_gettext as _l
from flask_login import current_user

from appliance.box import health, selftests
from appliance.box.links import intervals, parties, wording
from appliance.core import clock, outbox
from appliance.reports import box_services
from appliance.web.shell.access import anyone, may
from appliance.web.shell.context import site

screen = Blueprint("links", __name__, url_prefix="/links")

PROBE_RESULTS: dict[str, LazyString] = {
    "answers": _l("answers"),
    "timeout": _l("no answer in time"),
    "refused": _l("the connection is refused"),
    "unreachable": _l("there is no route to it"),
    "no_name": _l("its name cannot be resolved"),
    "no_gateway": _l("the server has no default gateway"),
    "not_allowed": _l("the server may not send pings (net.ipv4.ping_group_range)"),
}
TESTS: dict[str, LazyString] = {
    "call": _l("Test call"),
    "offline": _l("Test without the internet"),
}
HISTORY_PERIOD = dt.timedelta(days=31)


@screen.app_context_processor
def _outage_context() -> dict[str, object]:
    """Give templates `internet_outage()`, the data of the banner on every page."""
    return {"internet_outage": current_outage}


def current_outage() -> dict[str, object] | None:
    """Return since when the internet has been down (`since`), and how many messages are `waiting`.

    Returns None if it is not down, and if nobody is signed in, who would not be shown this.
    """
    since = intervals.outage_since(site()) if current_user.is_authenticated else None
    return (
        {"since": since, "waiting": sum(a.waiting for a in outbox.queue_ages())} if since else None
    )


@screen.get("")
@may("status.read")
def show_links() -> str:
    """Show each link's current state and history, the measured data rate, and the self-tests."""
    return render_template("links/page.html", **_links_context())


@screen.get("/list")
@may("status.read")
def show_link_list() -> str:
    """Show the links and self-tests, as a fragment of the open page."""
    return render_template("links/list.html", **_links_context())


@screen.get("/banner")
@anyone
def show_banner() -> str:
    """Show the banner about an internet outage, which is part of every page, as a fragment.

    Open pages request it when a link fails or works again.
    """
    return render_template("links/banner.html")


def _links_context() -> dict[str, Any]:
    """Return the template context of the page and of its list; the history is newest first.

    `parties` are the parties at the other end of the links, `current` the current state of each
    link, `ways` the links and the services that use them, `available` how much of HISTORY_PERIOD
    each link worked, `agreed` the data rate that is required.
    """
    now, tests = clock.now(), selftests.recent_tests()
    return {
        "parties": parties.watched_parties(site()),
        "current": intervals.current_stretches(site()),
        "ways": health.channel_states(site()),
        "name": wording.link_title,
        "seen": PROBE_RESULTS,
        "available": {a.link: a for a in box_services.link_availability(now - HISTORY_PERIOD, now)},
        "log": intervals.recent_stretches(),
        "rates": box_services.rate_readings(now - HISTORY_PERIOD, now)[::-1],
        "rate_url": site().links.rate_url,
        "agreed": box_services.AGREED_RATE_MBIT,
        "tests": tests,
        "test_names": {test.kind: _test_name(test.kind) for test in tests},
        "failures": selftests.FAILURES,
        "now": now,
    }


def _test_name(kind: str) -> str:
    """Return the name of a kind of self-test, in the reader's language."""
    if kind.startswith(selftests.CARRIER_KIND_PREFIX):
        trunk = kind.removeprefix(selftests.CARRIER_KIND_PREFIX)
        return str(gettext("Test call over trunk %(trunk)s", trunk=trunk))
    return str(TESTS[kind])
