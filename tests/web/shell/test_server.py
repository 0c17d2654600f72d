"""The web process itself: started, interrupted, killed."""

import contextlib
import http.client
import os
import re
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from appliance.models import User
from appliance.web.shell import concurrency
from appliance.web.shell.streams import MAX_STREAMS_PER_USER
from tests.rig.people import PASSWORD, PEOPLE
from tests.rig.scripts import publish_script
from tests.rig.waiting import wait_until

APPLIANCE_COMMAND = str(Path(sys.executable).parent / "appliance")
MAX_STOP_SECONDS = 15.0  # seconds within which Ctrl-C must stop the process, even with open streams


class WebProcess:
    """`appliance web` of one site."""

    def __init__(self, file: Path, address: str) -> None:
        self.url = f"http://{address}"
        self._command = [APPLIANCE_COMMAND, "--config", str(file), "web"]
        self._log = file.with_suffix(".log")

    def start(self) -> None:
        """Start the process and wait until it serves."""
        with self._log.open("ab") as log:
            self.running = subprocess.Popen(self._command, stdout=log, stderr=log)
        wait_until(self.serves, 60)

    def serves(self) -> bool:
        """Returns True if the process answers health requests."""
        try:
            return Visitor(self.url).open("/healthz").status == 200
        except (urllib.error.URLError, OSError):
            return False

    def workers(self) -> list[int]:
        """Return the process ids of gunicorn's workers that still exist."""
        task = Path("/proc", str(self.running.pid), "task", str(self.running.pid))
        return [int(pid) for pid in (task / "children").read_text().split()]

    def end(self, number: signal.Signals) -> float:
        """Send a signal; return the seconds until the process has ended."""
        started_at = time.monotonic()
        self.running.send_signal(number)
        self.running.wait(20)
        return time.monotonic() - started_at


@pytest.fixture
def process(settings, free_address) -> Iterator[WebProcess]:
    text = settings.file.read_text("utf-8").replace(settings.web.bind, free_address)
    settings.file.write_text(text, "utf-8")
    web_process = WebProcess(settings.file, free_address)
    web_process.start()
    yield web_process
    if web_process.running.poll() is None:
        web_process.end(signal.SIGTERM)


class Visitor:
    """A client that keeps its cookies and claims to have connected over TLS, as nginx does."""

    def __init__(self, url: str, address: str = "") -> None:
        self.url, self._address = url, address
        self._cookies: dict[str, str] = {}

    def open(self, path: str, **form: str) -> urllib.request.Request:
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(f"{self.url}{path}", data)  # noqa: S310
        for name, value in (
            ("X-Forwarded-Proto", "https"),
            ("Host", "localhost"),
            ("Referer", "https://localhost/"),
            ("Cookie", "; ".join(f"{name}={value}" for name, value in self._cookies.items())),
        ):
            request.add_header(name, value)
        if self._address:
            request.add_header("X-Forwarded-For", self._address)
        opener = urllib.request.build_opener(_NoRedirects)
        answer = opener.open(request, timeout=60)
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            name, _, value = cookie.split(";")[0].partition("=")
            self._cookies[name] = value
        return answer

    def token(self, path: str) -> str:
        with self.open(path) as page:
            return re.search(r'csrf-token" content="([^"]+)"', page.read().decode())[1]

    def sign_in(self, login: str) -> int:
        token = self.token("/login")
        with self.open("/login", csrf_token=token, login=login, password=PASSWORD) as answer:
            return answer.status


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, request, answer, code, message, headers):
        return answer


class Flood:
    """Many threads that guess passwords of non-existent logins from many addresses."""

    def __init__(self, url: str, threads: int) -> None:
        self._url, self._stopped = url, threading.Event()
        self.statuses: Counter[int] = Counter()
        self._threads = [
            threading.Thread(target=self._guess_passwords, args=(n,)) for n in range(threads)
        ]

    def __enter__(self) -> "Flood":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        for thread in self._threads:
            thread.join()

    def _guess_passwords(self, number: int) -> None:
        visitor, attempts = Visitor(self._url, f"10.9.{number // 4}.1"), 0
        while not self._stopped.is_set():
            attempts += 1
            try:
                self.statuses[visitor.sign_in(f"nobody-{number}-{attempts}")] += 1
            except urllib.error.HTTPError as refused:
                with refused:
                    self.statuses[refused.code] += 1
            except OSError:
                self.statuses[0] += 1


def test_a_known_device_signs_in_during_a_flood_of_guesses(process) -> None:
    """Each guess costs an argon2 hash: of 160 at once few wait and occupy a thread."""
    known_visitor = Visitor(process.url)
    assert known_visitor.sign_in("nilufar") == 302
    with Flood(process.url, 160) as flood:
        wait_until(lambda: flood.statuses[503] > 160, 60)
        for _ in range(3):
            known_visitor.open("/logout", csrf_token=known_visitor.token("/account")).close()
            assert known_visitor.sign_in("nilufar") == 302
        assert known_visitor.open("/operator").status == 200
    assert flood.statuses[401] > 0


def test_killing_the_process_signs_nobody_out(process) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("nilufar")
    process.end(signal.SIGKILL)
    wait_until(lambda: not process.serves())  # its worker notices that the parent is gone, and ends
    process.start()
    with visitor.open("/account") as page:
        assert "Nilufar Karimova" in page.read().decode()


def test_requests_wait_while_a_killed_worker_is_replaced(process) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("nilufar")
    [worker] = process.workers()
    os.kill(worker, signal.SIGKILL)
    wait_until(lambda: worker not in process.workers())
    with visitor.open("/account") as page:
        assert "Nilufar Karimova" in page.read().decode()
    assert len(process.workers()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_process_stops_quickly_with_an_open_stream(process, number) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("dilnoza")
    stream = visitor.open("/live")
    assert stream.readline() == b"retry: 1000\n"
    assert process.end(number) < MAX_STOP_SECONDS
    stream.close()


def test_many_streams_do_not_slow_down_pages(process, settings) -> None:
    visitors = [Visitor(process.url) for _ in range(5)]
    for visitor, login in zip(visitors, PEOPLE, strict=False):
        visitor.sign_in(login)
    streams = [visitor.open("/live") for visitor in visitors for _ in range(8)]
    with visitors[2].open("/calls") as page:
        assert page.status == 200
    for stream in streams:
        stream.close()


def test_one_users_streams_do_not_block_other_users(process) -> None:
    """Each stream is read to its end, as nginx does: eight stay open."""
    greedy, other_user = Visitor(process.url), Visitor(process.url)
    greedy.sign_in("dilnoza")
    other_user.sign_in("sherzod")
    stream_count, ended = 6 * MAX_STREAMS_PER_USER, []

    def read_stream(number: int) -> None:
        with (
            contextlib.suppress(urllib.error.HTTPError, http.client.HTTPException, OSError),
            greedy.open("/live") as stream,
        ):
            while stream.readline():
                pass
        ended.append(number)

    with ThreadPoolExecutor(stream_count) as pool:
        try:
            pool.map(read_stream, range(stream_count))
            wait_until(lambda: len(ended) == stream_count - MAX_STREAMS_PER_USER)
            for path in ("/calls", "/healthz", "/live"):
                with other_user.open(path) as answer:
                    assert answer.status == 200
            assert len(ended) == stream_count - MAX_STREAMS_PER_USER
        finally:
            process.end(signal.SIGTERM)  # so that every thread ends


def test_sixty_simultaneous_pdfs_do_not_slow_down_pages(process, settings) -> None:
    row = publish_script(User.get(User.role == "manager"), User.get(User.login == "bahodir"))
    path = f"/scripts/{row.script.code}/versions/{row.number}.pdf"
    future, other_user = Visitor(process.url), Visitor(process.url)
    future.sign_in("bahodir")
    other_user.sign_in("sherzod")
    start_barrier = threading.Barrier(61)

    def fetch_pdf(_: int) -> int:
        start_barrier.wait(60)
        try:
            with future.open(path) as answer:
                assert answer.read(5) == b"%PDF-"
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    with ThreadPoolExecutor(60) as pool:
        futures = [pool.submit(fetch_pdf, number) for number in range(60)]
        start_barrier.wait(60)
        times = []
        while not all(future.done() for future in futures):
            for page in ("/healthz", "/account"):
                before = time.monotonic()
                with other_user.open(page) as answer:
                    assert answer.status == 200
                times.append(time.monotonic() - before)
    statuses = Counter(future.result() for future in futures)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= concurrency.MAX_PENDING_REPORTS_PER_USER
    assert max(times) < 30  # nginx gives up after 60 s; on a busy machine a page takes seconds


def test_health_is_answered_when_pages_occupy_all_threads() -> None:
    gate, started = threading.Event(), threading.Semaphore(0)

    def serve_page(environ, start):
        started.release()
        if environ["PATH_INFO"] != concurrency.HEALTH_PATH:
            gate.wait(20)
        start("200 OK", [])
        return [b"ok"]

    entrance = concurrency.RequestGate(serve_page, concurrency.HEALTH_THREADS + 2)

    def request_status(path: str) -> str:
        statuses: list[str] = []
        answer = entrance({"PATH_INFO": path}, lambda status, headers: statuses.append(status))
        list(answer)
        getattr(answer, "close", lambda: None)()
        return statuses[0]

    with ThreadPoolExecutor(2) as pool:
        futures = [pool.submit(request_status, "/calls") for _ in range(2)]
        for _ in futures:
            started.acquire()
        assert request_status("/calls").startswith("503")
        assert request_status("/healthz") == "200 OK"
        gate.set()
        assert [future.result() for future in futures] == ["200 OK"] * 2
    assert request_status("/calls") == "200 OK"


def test_failing_requests_release_their_slots() -> None:
    def fail(environ, start):
        raise ZeroDivisionError

    entrance = concurrency.RequestGate(fail, concurrency.HEALTH_THREADS + 1)
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            entrance({"PATH_INFO": "/calls"}, print)


def test_turns_are_taken_in_order_of_arrival() -> None:
    line, started, may_go = (
        concurrency.TurnQueue(2, 60.0),
        [],
        [threading.Event() for _ in range(6)],
    )

    def take_turn(number: int) -> None:
        with line.wait_for_turn():
            started.append(number)
            may_go[number].wait(20)

    with ThreadPoolExecutor(len(may_go)) as pool:
        try:
            futures = []
            for number in range(len(may_go)):
                futures.append(pool.submit(take_turn, number))
                wait_until(lambda: len(started) + len(line._waiting) == len(futures))
            for finished in range(4):
                assert started == [0, 1, *range(2, finished + 2)]
                may_go[finished].set()
                futures[finished].result(20)
                wait_until(lambda expected=finished + 3: len(started) == expected)
            assert started == [*range(6)]
        finally:
            for event in may_go:
                event.set()


def test_long_work_delays_nobody_and_an_error_ends_a_turn() -> None:
    line, gate, started = concurrency.TurnQueue(1, 0.01), threading.Event(), []

    def hold_turn() -> None:
        with line.wait_for_turn():
            started.append(1)
            gate.wait(20)

    with ThreadPoolExecutor(3) as pool:
        try:
            futures = [pool.submit(hold_turn) for _ in range(2)]
            wait_until(lambda: len(started) == 2)
            with contextlib.suppress(ZeroDivisionError), line.wait_for_turn():
                raise ZeroDivisionError
            with line.wait_for_turn():
                pass
            assert not [future for future in futures if future.done()]
        finally:
            gate.set()
    assert not line._turns


def test_requests_are_served_in_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "TURN_SECONDS", 60.0)
    gate, started = threading.Event(), threading.Semaphore(0)

    def serve_page(environ, start):
        started.release()
        gate.wait(20)
        return []

    entrance = concurrency.RequestGate(serve_page, 40)
    with ThreadPoolExecutor(8) as pool:
        try:
            futures = [pool.submit(entrance, {"PATH_INFO": "/calls"}, print) for _ in range(6)]
            wait_until(
                lambda: len(entrance._turn_queue._waiting) == 6 - concurrency.MAX_ACTIVE_REQUESTS
            )
            assert all(started.acquire(timeout=20) for _ in range(concurrency.MAX_ACTIVE_REQUESTS))
            assert not started.acquire(blocking=False)
            health = pool.submit(entrance, {"PATH_INFO": concurrency.HEALTH_PATH}, print)
            assert started.acquire(timeout=20)
        finally:
            gate.set()
        assert [list(future.result()) for future in (*futures, health)] == [[]] * 7
