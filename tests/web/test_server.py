"""The web process itself: started, interrupted, killed."""

import re
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from people import PASSWORD
from waiting import until

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

    def __init__(self, url: str) -> None:
        self.url = url
        self._cookie = ""

    def open(self, path: str, **form: str) -> urllib.request.Request:
        data = urllib.parse.urlencode(form).encode() if form else None
        request = urllib.request.Request(f"{self.url}{path}", data)  # noqa: S310
        for name, value in (
            ("X-Forwarded-Proto", "https"),
            ("X-Forwarded-Host", "localhost"),
            ("Referer", "https://localhost/"),
            ("Cookie", self._cookie),
        ):
            request.add_header(name, value)
        opener = urllib.request.build_opener(_Stay)
        answer = opener.open(request, timeout=10)
        if cookie := answer.headers.get("Set-Cookie"):
            self._cookie = cookie.split(";")[0]
        return answer

    def sign_in(self, login: str) -> None:
        with self.open("/login") as page:
            token = re.search(r'csrf-token" content="([^"]+)"', page.read().decode())[1]
        self.open("/login", csrf_token=token, login=login, password=PASSWORD).close()


class _Stay(urllib.request.HTTPRedirectHandler):
    def http_error_302(self, request, answer, code, message, headers):
        return answer


def test_killed_it_signs_nobody_out(process) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("nilufar")
    process.end(signal.SIGKILL)
    until(lambda: not process.serves())  # its worker sees that it is alone and goes
    process.start()
    with visitor.open("/account") as page:
        assert "Nilufar Karimova" in page.read().decode()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_goes_at_once_with_a_stream_open(process, number) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("dilnoza")
    stream = visitor.open("/live")
    assert stream.readline() == b"retry: 1000\n"
    assert process.end(number) < FAST
    stream.close()


def test_many_streams_leave_the_pages_quick(process, settings) -> None:
    visitor = Visitor(process.url)
    visitor.sign_in("dilnoza")
    streams = [visitor.open("/live") for _ in range(40)]
    with visitor.open("/calls") as page:
        assert page.status == 200
    for stream in streams:
        stream.close()
