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
from appliance.web.shell.streams import OF_ONE
from tests.rig.people import PASSWORD, PEOPLE
from tests.rig.scripts import in_force
from tests.rig.waiting import until

APPLIANCE = str(Path(sys.executable).parent / "appliance")
FAST = 15.0  # seconds in which Ctrl-C must be over, streams or not


class Process:
    """`appliance web` of one site."""

    def __init__(self, file: Path, address: str) -> None:
        self.url = f"http://{address}"
        self._command = [APPLIANCE, "--config", str(file), "web"]
        self._log = file.with_suffix(".log")

    def start(self) -> None:
        with self._log.open("ab") as log:
            self.running = subprocess.Popen(self._command, stdout=log, stderr=log)
        until(self.serves, 60)

    def serves(self) -> bool:
        try:
            return Visitor(self.url).open("/healthz").status == 200
        except (urllib.error.URLError, OSError):
            return False

    def workers(self) -> list[int]:
        """What gunicorn has begun, and is not yet gone."""
        task = Path("/proc", str(self.running.pid), "task", str(self.running.pid))
        return [int(pid) for pid in (task / "children").read_text().split()]

    def end(self, number: signal.Signals) -> float:
        """Send a signal; the seconds until it is gone."""
        began = time.monotonic()
        self.running.send_signal(number)
        self.running.wait(20)
        return time.monotonic() - began


@pytest.fixture
def process(settings, free_address) -> Iterator[Process]:
    text = settings.file.read_text("utf-8").replace(settings.web.bind, free_address)
    settings.file.write_text(text, "utf-8")
    served = Process(settings.file, free_address)
    served.start()
    yield served
    if served.running.poll() is None:
        served.end(signal.SIGTERM)


class Visitor:
    """Keeps its cookies; says that it came by TLS, as nginx does."""

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
        opener = urllib.request.build_opener(_Stay)
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


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, request, answer, code, message, headers):
        return answer


class Flood:
    """Many threads that guess passwords of logins that nobody has, from many addresses."""

    def __init__(self, url: str, threads: int) -> None:
        self._url, self._over = url, threading.Event()
        self.statuses: Counter[int] = Counter()
        self._threads = [threading.Thread(target=self._guess, args=(n,)) for n in range(threads)]

    def __enter__(self) -> "Flood":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _guess(self, number: int) -> None:
        visitor, tries = Visitor(self._url, f"10.9.{number // 4}.1"), 0
        while not self._over.is_set():
            tries += 1
            try:
                self.statuses[visitor.sign_in(f"nobody-{number}-{tries}")] += 1
            except urllib.error.HTTPError as refused:
                with refused:
                    self.statuses[refused.code] += 1
            except OSError:
                self.statuses[0] += 1


def test_who_is_known_signs_in_while_many_guess(process) -> None:
    """Each guess costs what argon2 costs: of 160 at once few wait, and hold a thread."""
    known = Visitor(process.url)
    assert known.sign_in("nilufar") == 302
    with Flood(process.url, 160) as flood:
        until(lambda: flood.statuses[503] > 160, 60)
        for _ in range(3):
            known.open("/logout", csrf_token=known.token("/account")).close()
            assert known.sign_in("nilufar") == 302
        assert known.open("/operator").status == 200
    assert flood.statuses[401] > 0


def test_killed_it_signs_nobody_out(process) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("nilufar")
    process.end(signal.SIGKILL)
    until(lambda: not process.serves())  # its worker sees that it is alone and goes
    process.start()
    with visitor.open("/account") as page:
        assert "Nilufar Karimova" in page.read().decode()


def test_who_comes_while_a_killed_worker_begins_anew_waits(process) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("nilufar")
    [worker] = process.workers()
    os.kill(worker, signal.SIGKILL)
    until(lambda: worker not in process.workers())
    with visitor.open("/account") as page:
        assert "Nilufar Karimova" in page.read().decode()
    assert len(process.workers()) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_at_once_with_a_stream_open(process, number) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("dilnoza")
    stream = visitor.open("/live")
    assert stream.readline() == b"retry: 1000\n"
    assert process.end(number) < FAST
    stream.close()


def test_many_streams_leave_the_pages_quick(process, settings) -> None:
    visitors = [Visitor(process.url) for _ in range(5)]
    for visitor, login in zip(visitors, PEOPLE, strict=False):
        visitor.sign_in(login)
    streams = [visitor.open("/live") for visitor in visitors for _ in range(8)]
    with visitors[2].open("/calls") as page:
        assert page.status == 200
    for stream in streams:
        stream.close()


def test_one_person_who_asks_for_streams_leaves_the_pages_to_the_others(process) -> None:
    """Each is read to its end, as nginx does: eight go on."""
    one, other = Visitor(process.url), Visitor(process.url)
    one.sign_in("dilnoza")
    other.sign_in("sherzod")
    asked, over = 6 * OF_ONE, []

    def ask(number: int) -> None:
        with (
            contextlib.suppress(urllib.error.HTTPError, http.client.HTTPException, OSError),
            one.open("/live") as stream,
        ):
            while stream.readline():
                pass
        over.append(number)

    with ThreadPoolExecutor(asked) as pool:
        try:
            pool.map(ask, range(asked))
            until(lambda: len(over) == asked - OF_ONE)
            for path in ("/calls", "/healthz", "/live"):
                with other.open(path) as answer:
                    assert answer.status == 200
            assert len(over) == asked - OF_ONE
        finally:
            process.end(signal.SIGTERM)  # so that every thread ends


def test_sixty_papers_at_once_leave_the_pages_quick(process, settings) -> None:
    row = in_force(User.get(User.role == "manager"), User.get(User.login == "bahodir"))
    path = f"/scripts/{row.script.code}/versions/{row.number}.pdf"
    one, other = Visitor(process.url), Visitor(process.url)
    one.sign_in("bahodir")
    other.sign_in("sherzod")
    begun = threading.Barrier(61)

    def ask(_: int) -> int:
        begun.wait(60)
        try:
            with one.open(path) as answer:
                assert answer.read(5) == b"%PDF-"
                return answer.status
        except urllib.error.HTTPError as error:
            return error.code

    with ThreadPoolExecutor(60) as pool:
        asked = [pool.submit(ask, number) for number in range(60)]
        begun.wait(60)
        times = []
        while not all(one.done() for one in asked):
            for page in ("/healthz", "/account"):
                before = time.monotonic()
                with other.open(page) as answer:
                    assert answer.status == 200
                times.append(time.monotonic() - before)
    statuses = Counter(one.result() for one in asked)
    assert set(statuses) == {200, 429}
    assert statuses[200] >= concurrency.OF_ONE
    assert max(times) < 5


def test_health_is_answered_when_the_pages_have_no_thread_left() -> None:
    gate, started = threading.Event(), threading.Semaphore(0)

    def pages(environ, start):
        started.release()
        if environ["PATH_INFO"] != concurrency.HEALTH:
            gate.wait(20)
        start("200 OK", [])
        return [b"ok"]

    entrance = concurrency.Entrance(pages, concurrency.RESERVED + 2)

    def ask(path: str) -> str:
        said: list[str] = []
        answer = entrance({"PATH_INFO": path}, lambda status, headers: said.append(status))
        list(answer)
        getattr(answer, "close", lambda: None)()
        return said[0]

    with ThreadPoolExecutor(2) as pool:
        held = [pool.submit(ask, "/calls") for _ in range(2)]
        for _ in held:
            started.acquire()
        assert ask("/calls").startswith("503")
        assert ask("/healthz") == "200 OK"
        gate.set()
        assert [one.result() for one in held] == ["200 OK"] * 2
    assert ask("/calls") == "200 OK"


def test_who_comes_first_has_the_first_turn() -> None:
    line, has, may_go = concurrency.Line(2, 60.0), [], [threading.Event() for _ in range(6)]

    def work(number: int) -> None:
        with line.turn():
            has.append(number)
            may_go[number].wait(20)

    with ThreadPoolExecutor(len(may_go)) as pool:
        try:
            done = []
            for number in range(len(may_go)):
                done.append(pool.submit(work, number))
                until(lambda: len(has) + len(line._waiting) == len(done))
            for gone in range(4):
                assert has == [0, 1, *range(2, gone + 2)]
                may_go[gone].set()
                done[gone].result(20)
                until(lambda wanted=gone + 3: len(has) == wanted)
            assert has == [*range(6)]
        finally:
            for one in may_go:
                one.set()


def test_whoever_works_long_keeps_nobody_waiting_and_an_error_ends_a_turn() -> None:
    line, gate, held = concurrency.Line(1, 0.01), threading.Event(), []

    def hold() -> None:
        with line.turn():
            held.append(1)
            gate.wait(20)

    with ThreadPoolExecutor(3) as pool:
        try:
            holding = [pool.submit(hold) for _ in range(2)]
            until(lambda: len(held) == 2)
            with contextlib.suppress(ZeroDivisionError), line.turn():
                raise ZeroDivisionError
            with line.turn():
                pass
            assert not [one for one in holding if one.done()]
        finally:
            gate.set()
    assert not line._turns


def test_requests_come_in_by_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(concurrency, "LONG", 60.0)
    gate, started = threading.Event(), threading.Semaphore(0)

    def pages(environ, start):
        started.release()
        gate.wait(20)
        return []

    entrance = concurrency.Entrance(pages, 40)
    with ThreadPoolExecutor(8) as pool:
        try:
            asked = [pool.submit(entrance, {"PATH_INFO": "/calls"}, print) for _ in range(6)]
            until(lambda: len(entrance._line._waiting) == 6 - concurrency.TURNS)
            assert all(started.acquire(timeout=20) for _ in range(concurrency.TURNS))
            assert not started.acquire(blocking=False)
            health = pool.submit(entrance, {"PATH_INFO": concurrency.HEALTH}, print)
            assert started.acquire(timeout=20)
        finally:
            gate.set()
        assert [list(one.result()) for one in (*asked, health)] == [[]] * 7
