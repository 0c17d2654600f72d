"""The cost of open pages, of the operator's bar and of a printed report.

Milliseconds and cores are those of a processor, so that a busy machine gives the same figures.
"""

import resource
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

from flask import Flask

from appliance import demo
from appliance.core import db, live
from appliance.core.settings import Settings
from appliance.demo.world import load_site_profile
from appliance.people import accounts
from appliance.reports import files, pdf
from appliance.web import create_app
from appliance.web.shell.server import OPEN_CONNECTIONS
from tests.rig.bench import growth
from tests.rig.bench.table import Row
from tests.rig.browser import Browser
from tests.rig.streams import TopicStream

OPEN_PAGES, STREAM_COUNT = 100, 300
EVENTS_PER_SECOND, MEASURED_SECONDS = 20, 5  # events a second as 50 calls make them; duration
REQUEST_COUNT = 30  # times that a page is requested
MONTH_CALLS = 5_000  # calls of the printed month
BAR_PATH = "/operator/bar"
PIECE_PATHS = ("/operator/bar", "/operator/state", "/operator/queue", "/operator/paused")
FRAGMENT_HEADERS = {"HX-Request": "true"}
_PASSWORD = "parol-parol"


def live_rows(folder: Path) -> Iterator[Row]:
    """Every figure of this benchmark; builds what it measures in the folder."""
    settings = growth.make_site(folder)
    accounts.create_account("leader", "Leader", "supervisor", _PASSWORD)
    with _served_app(settings) as app:
        yield from page_rows(app)
        yield from _stream_rows(app)
    demo.load_history(
        load_site_profile(settings, growth.MONTH.first, growth.LAST_DAY), MONTH_CALLS, 1
    )
    with _served_app(settings) as app:
        yield from page_rows(app, f", {MONTH_CALLS:,} calls behind")
    yield _paper_row(settings)


def page_rows(app: Flask, suffix: str = "") -> Iterator[Row]:
    """The bar, compared with the cheapest page, and four pieces fetched by one request."""
    browser = _signed_in_browser(app, "op01")
    minimum = _median_cpu_ms(lambda: browser.get("/login/token"))
    yield Row(f"/login/token{suffix}", minimum, "ms")
    bar_ms = _median_cpu_ms(lambda: browser.get(BAR_PATH, headers=FRAGMENT_HEADERS))
    yield Row(f"{BAR_PATH}{suffix}", bar_ms, "ms", aim=5.0, before="23 ms, grows")
    separate_ms = sum(
        _median_cpu_ms(lambda at=at: browser.get(at, headers=FRAGMENT_HEADERS))  # type: ignore[misc]
        for at in PIECE_PATHS
    )
    address = f"/pieces?{'&'.join(f'at={at}' for at in PIECE_PATHS)}"
    joint_ms = _median_cpu_ms(lambda: browser.get(address, headers=FRAGMENT_HEADERS))
    yield Row(f"{len(PIECE_PATHS)} pieces of one event, one request{suffix}", joint_ms, "ms")
    yield Row(f"the same by {len(PIECE_PATHS)} requests{suffix}", separate_ms, "ms")


def _stream_rows(app: Flask) -> Iterator[Row]:
    """Cores that open pages use during calls, and how many are open without a thread each."""
    browsers = [
        _signed_in_browser(app, f"op{number:02}") for number in range(growth.OPERATOR_COUNT)
    ]
    browsers += [_signed_in_browser(app, "leader")]
    with ExitStack() as at_end:
        threads = threading.active_count()
        idle_cores = _used_cores()
        streams = []
        for number in range(STREAM_COUNT):
            if number == OPEN_PAGES:
                used_cores = _used_cores() - idle_cores
                title = f"{OPEN_PAGES} pages, {EVENTS_PER_SECOND} events a second"
                yield Row(title, used_cores, "cores", aim=0.15, before="0.53")
            browser = browsers[number % len(browsers)]
            streams.append(at_end.enter_context(closing(TopicStream(browser))))
        live.publish_topics("announcements")
        event_count = sum(
            stream.next_event()[1] in ("topic", "refresh") for stream in streams[-200:]
        )
        reached_count = STREAM_COUNT - 200 + event_count
        title = "pages open, of which all heard an event"
        yield Row(title, reached_count, "", aim=300, least=True, before="80")
        yield Row("threads for them", threading.active_count() - threads, "", aim=2)


def _used_cores() -> float:
    """The cores that this process uses while events are published for MEASURED_SECONDS."""
    cpu_before, started_at = time.process_time(), time.monotonic()
    for number in range(EVENTS_PER_SECOND * MEASURED_SECONDS):
        with db.write_transaction():
            live.publish_topics("calls", f"operator:op{number % growth.OPERATOR_COUNT:02}")
        time.sleep(max(started_at + (number + 1) / EVENTS_PER_SECOND - time.monotonic(), 0))
    return (time.process_time() - cpu_before) / (time.monotonic() - started_at)


def _paper_row(settings: Settings) -> Row:
    """The telephony report of a month, printed; start and import of its process included."""
    report = files.build_report("telephony", settings, growth.MONTH, "ru")
    page = files.FORMS["telephony"].as_page(report)
    cpu_before = _children_cpu_seconds()
    pdf.write_pdf(page)
    seconds = _children_cpu_seconds() - cpu_before
    return Row("telephony report printed", seconds, "s", aim=1.5, before="2.9 s")


def _children_cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _median_cpu_ms(run: Callable[[], object]) -> float:
    """Milliseconds of a processor, the median of many runs."""
    durations_ms = []
    for _ in range(REQUEST_COUNT):
        cpu_before = time.process_time()
        run()
        durations_ms.append(1000 * (time.process_time() - cpu_before))
    return sorted(durations_ms)[REQUEST_COUNT // 2]


@contextmanager
def _served_app(settings: Settings) -> Iterator[Flask]:
    db.keep_connections_open(OPEN_CONNECTIONS)
    app = create_app(settings)
    app.test_client_class = Browser
    try:
        yield app
    finally:
        app.extensions["live"].stop()


def _signed_in_browser(app: Flask, login: str) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    response = browser.sign_in(login, _PASSWORD)
    assert response.status_code == 302, response.status
    return browser
