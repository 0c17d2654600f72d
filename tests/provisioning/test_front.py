"""The front of a local site: half-sent requests, and SIP over WebSocket without a login."""

import contextlib
import http.server
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from provisioning.local import front
from provisioning.local.place import GUNICORN, HTTP, TLS, Place
from tests.rig.waiting import until

HELD = 1100  # more than one front had room for
ASKS = "GET {} HTTP/1.1\r\nHost: site\r\n{}\r\n"
SOCKET = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n"
)


class Pages(http.server.BaseHTTPRequestHandler):
    """As the pages answer to the front: an operator by his cookie."""

    protocol_version = "HTTP/1.1"
    begun = 0  # connections

    def setup(self) -> None:
        """A connection begins."""
        super().setup()
        Pages.begun += 1

    def do_GET(self) -> None:
        """Everything is there; a session only with the cookie."""
        known = self.path != "/operator/session" or self.headers.get("Cookie") == "session=dilnoza"
        self.send_response(200 if known else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A site of which only the front runs, with a stand-in for the pages and one for Asterisk."""
    made = Place(tmp_path / "site")
    for folder in (made.folder, made.logs, made.run):
        folder.mkdir(parents=True)
    front.make_certificates(made)
    servers = [
        http.server.ThreadingHTTPServer((made.box, port), Pages) for port in (GUNICORN, HTTP)
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    # As a shell without further ado gives files to a program.
    command = ["prlimit", "--nofile=1024:", *front.configure(made, tmp_path)]
    nginx = subprocess.Popen(command)
    try:
        until(lambda: status(made, "/"), 30)
        yield made
    finally:
        nginx.terminate()
        nginx.wait()
        for server in servers:
            server.shutdown()
            server.server_close()


def status(place: Place, path: str, lines: str = "", wait: float = 20) -> str:
    """The first line of the answer; "" when there is none."""
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    try:
        line = socket.create_connection((place.box, TLS), wait)
        with line, unchecked.wrap_socket(line) as safe:
            safe.sendall(ASKS.format(path, lines).encode())
            return safe.recv(200).decode().split("\r\n")[0]
    except OSError:
        return ""


def test_half_sent_requests_stop_no_page_and_are_given_up(place: Place) -> None:
    with contextlib.ExitStack() as held:
        for _ in range(HELD):
            half = held.enter_context(socket.create_connection((place.box, TLS), 20))
            half.sendall(b"\x16\x03\x01")  # the first bytes of a greeting
        answer = status(place, "/", wait=5)
        print(f"{HELD} half requests from one address; the next page: {answer or 'no answer'}")
        assert answer.startswith("HTTP/1.1 200")
        half.settimeout(40)
        assert half.recv(100) == b""  # given up


def test_sip_over_websocket_is_for_operators_who_are_signed_in(place: Place) -> None:
    for cookie in ("", "Cookie: session=nobody\r\n"):
        assert status(place, "/ws", SOCKET + cookie).startswith("HTTP/1.1 401"), cookie
    assert status(place, "/ws", f"{SOCKET}Cookie: session=dilnoza\r\n").startswith("HTTP/1.1 200")
    assert status(place, "/session").startswith("HTTP/1.1 404")


def test_the_pages_connections_stay_open(place: Place) -> None:
    begun = Pages.begun
    for _ in range(5):
        assert status(place, "/").startswith("HTTP/1.1 200")
    assert Pages.begun == begun
