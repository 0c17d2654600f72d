"""Pages that could grow with the history: their first page, a filter, the last page."""

import datetime as dt
from collections.abc import Iterator

from appliance.core.settings import Settings
from appliance.models import Call
from appliance.people import accounts
from appliance.web import create_app
from tests.rig.bench.table import Row
from tests.rig.bench.timing import TRIES, spent
from tests.rig.browser import Browser

_PASSWORD = "parol-parol"
_MISSED = "missed callers"
PAGES = {
    _MISSED: "/followups",
    "missed callers, the last page": "/followups?page={last}",
    "missed callers, closed": "/followups?show=closed",
    "calls of a day": "/calls?day={day}",
    "calls behind a figure, first page": "/analytics/calls?{days}",
    "calls behind a figure, hundredth page": "/analytics/calls?{days}&page=100",
    "calls behind a figure, of an hour": "/analytics/calls?{days}&hour=10",
    "registered calls, first page": "/call-forms",
    "registered calls, hundredth page": "/call-forms?page=100",
    "a call's card": "/calls/{call}",
}
_MOST = {_MISSED: (60.0, 20.0)}  # kilobytes, milliseconds


def rows(settings: Settings, last: dt.date) -> Iterator[Row]:
    """Size and processor time of each page, as who leads the operators opens it."""
    accounts.add("leader", "Leader", "supervisor", _PASSWORD)
    app = create_app(settings)
    app.test_client_class = Browser
    browser: Browser = app.test_client()  # type: ignore[assignment]
    assert browser.sign_in("leader", _PASSWORD).status_code == 302
    first = last.replace(day=1)
    known = {
        "last": 10**6,  # the list stays on its last page
        "day": f"{last:%d.%m.%Y}",
        "days": f"from={first:%d.%m.%Y}&to={last:%d.%m.%Y}",
        "call": Call.select(Call.id).where(Call.outcome == "answered").limit(1).scalar(),
    }
    try:
        for name, address in PAGES.items():
            path = address.format_map(known)
            page = browser.get(path)
            assert page.status_code == 200, f"{path}: {page.status}"
            took = min(spent(lambda path=path: browser.get(path)) for _ in range(TRIES))  # type: ignore[misc]
            size, most = _MOST.get(name, (None, None))
            slow, large = ("73 ms", "583 kB") if most else ("", "")
            yield Row(f"page: {name}", 1000 * took, "ms", aim=most, before=slow)
            yield Row(f"page: {name}, size", len(page.data) / 1000, "kB", aim=size, before=large)
    finally:
        app.extensions["live"].stop()
