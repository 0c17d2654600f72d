"""What open pages, the operator's bar and a paper cost.

Milliseconds and cores are those of a processor, so that a busy machine tells the same.
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
from appliance.demo.world import of_site
from appliance.people import accounts
from appliance.reports import files, pdf
from appliance.web import create_app
from appliance.web.shell.server import KEPT
from tests.rig.bench import growth
from tests.rig.bench.table import Row
from tests.rig.browser import Browser
from tests.rig.streams import Stream

PAGES, AT_ONCE = 100, 300
EVENTS, SECONDS = 20, 5  # a second: what 50 calls make; how long
ASKED = 30  # times that a page is asked for
CALLS = 5_000  # of the month that is printed
BAR = "/operator/bar"
TOGETHER = ("/operator/bar", "/operator/state", "/operator/queue", "/operator/paused")
FRAGMENT = {"HX-Request": "true"}
_PASSWORD = "parol-parol"


def rows(folder: Path) -> Iterator[Row]:
    """Every figure of this bench; builds what it measures in the folder."""
    settings = growth.make_site(folder)
    accounts.add("leader", "Leader", "supervisor", _PASSWORD)
    with _served(settings) as app:
        yield from pages(app)
        yield from _streams(app)
    demo.load(of_site(settings, growth.MONTH.first, growth.LAST), CALLS, 1)
    with _served(settings) as app:
        yield from pages(app, f", {CALLS:,} calls behind")
    yield _paper(settings)


def pages(app: Flask, behind: str = "") -> Iterator[Row]:
    """The bar beside the least that any page costs, and four pieces by one request."""
    browser = _signed_in(app, "op01")
    least = _milliseconds(lambda: browser.get("/login/token"))
    yield Row(f"/login/token{behind}", least, "ms")
    bar = _milliseconds(lambda: browser.get(BAR, headers=FRAGMENT))
    yield Row(f"{BAR}{behind}", bar, "ms", aim=5.0, before="23 ms, grows")
    apart = sum(
        _milliseconds(lambda at=at: browser.get(at, headers=FRAGMENT))  # type: ignore[misc]
        for at in TOGETHER
    )
    address = f"/pieces?{'&'.join(f'at={at}' for at in TOGETHER)}"
    together = _milliseconds(lambda: browser.get(address, headers=FRAGMENT))
    yield Row(f"{len(TOGETHER)} pieces of one event, one request{behind}", together, "ms")
    yield Row(f"the same by {len(TOGETHER)} requests{behind}", apart, "ms")


def _streams(app: Flask) -> Iterator[Row]:
    """Cores for open pages while calls go on, and how many are open without a thread each."""
    browsers = [_signed_in(app, f"op{number:02}") for number in range(growth.OPERATORS)]
    browsers += [_signed_in(app, "leader")]
    with ExitStack() as at_end:
        threads = threading.active_count()
        alone = _cores()
        streams = []
        for number in range(AT_ONCE):
            if number == PAGES:
                taken = _cores() - alone
                what = f"{PAGES} pages, {EVENTS} events a second"
                yield Row(what, taken, "cores", aim=0.15, before="0.53")
            browser = browsers[number % len(browsers)]
            streams.append(at_end.enter_context(closing(Stream(browser))))
        live.publish("announcements")
        heard = sum(stream.next()[1] in ("topic", "refresh") for stream in streams[-200:])
        reached = AT_ONCE - 200 + heard
        what = "pages open, of which all heard an event"
        yield Row(what, reached, "", aim=300, least=True, before="80")
        yield Row("threads for them", threading.active_count() - threads, "", aim=2)


def _cores() -> float:
    """What the process takes of a processor while so much happens."""
    began, clock = time.process_time(), time.monotonic()
    for number in range(EVENTS * SECONDS):
        with db.writing():
            live.publish("calls", f"operator:op{number % growth.OPERATORS:02}")
        time.sleep(max(clock + (number + 1) / EVENTS - time.monotonic(), 0))
    return (time.process_time() - began) / (time.monotonic() - clock)


def _paper(settings: Settings) -> Row:
    """The telephony report of a month, printed; start and import of its process included."""
    report = files.build("telephony", settings, growth.MONTH, "ru")
    page = files.FORMS["telephony"].as_page(report)
    before = _of_children()
    pdf.write(page)
    took = _of_children() - before
    return Row("telephony report printed", took, "s", aim=1.5, before="2.9 s")


def _of_children() -> float:
    spent = resource.getrusage(resource.RUSAGE_CHILDREN)
    return spent.ru_utime + spent.ru_stime


def _milliseconds(run: Callable[[], object]) -> float:
    """Of a processor, the median of many."""
    took = []
    for _ in range(ASKED):
        began = time.process_time()
        run()
        took.append(1000 * (time.process_time() - began))
    return sorted(took)[ASKED // 2]


@contextmanager
def _served(settings: Settings) -> Iterator[Flask]:
    db.keep_open(KEPT)
    app = create_app(settings)
    app.test_client_class = Browser
    try:
        yield app
    finally:
        app.extensions["live"].stop()


def _signed_in(app: Flask, login: str) -> Browser:
    browser: Browser = app.test_client()  # type: ignore[assignment]
    answer = browser.sign_in(login, _PASSWORD)
    assert answer.status_code == 302, answer.status
    return browser
