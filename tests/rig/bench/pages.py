"""Pages that could grow with the history: their first page, a filter, the last page."""

import datetime as dt
import functools
from collections.abc import Iterator

from appliance.core.settings import Settings
from appliance.models import Call
from appliance.people import accounts
from appliance.web import create_app
from tests.rig.bench.table import Row
from tests.rig.bench.timing import TRY_COUNT, cpu_seconds
from tests.rig.browser import Browser

_PASSWORD = "parol-parol"
_MISSED_PAGE = "missed callers"
PAGE_ADDRESSES = {
    _MISSED_PAGE: "/followups",
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
_PAGE_LIMITS = {_MISSED_PAGE: (60.0, 20.0)}  # kilobytes, milliseconds


def page_size_rows(settings: Settings, last: dt.date) -> Iterator[Row]:
    """Size and processor time of each page, opened as the operators' supervisor."""
    accounts.create_account("leader", "Leader", "supervisor", _PASSWORD)
    app = create_app(settings)
    app.test_client_class = Browser
    browser: Browser = app.test_client()  # type: ignore[assignment]
    assert browser.sign_in("leader", _PASSWORD).status_code == 302
    first = last.replace(day=1)
    values = {
        "last": 10**6,  # the list shows its last page
        "day": f"{last:%d.%m.%Y}",
        "days": f"from={first:%d.%m.%Y}&to={last:%d.%m.%Y}",
        "call": Call.select(Call.id).where(Call.outcome == "answered").limit(1).scalar(),
    }
    try:
        for name, address in PAGE_ADDRESSES.items():
            path = address.format_map(values)
            page = browser.get(path)
            assert page.status_code == 200, f"{path}: {page.status}"
            fetch_page = functools.partial(browser.get, path)
            seconds = min(cpu_seconds(fetch_page) for _ in range(TRY_COUNT))
            size, max_ms = _PAGE_LIMITS.get(name, (None, None))
            earlier_time, earlier_size = ("73 ms", "583 kB") if max_ms else ("", "")
            yield Row(f"page: {name}", 1000 * seconds, "ms", aim=max_ms, before=earlier_time)
            yield Row(
                f"page: {name}, size", len(page.data) / 1000, "kB", aim=size, before=earlier_size
            )
    finally:
        app.extensions["live"].stop()
