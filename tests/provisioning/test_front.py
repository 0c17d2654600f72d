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
from provisioning.local.place import GUNICORN_PORT, HTTP_PORT, TLS_PORT, Place
from tests.rig.waiting import wait_until

CONNECTION_COUNT = 1100  # more than one front had connections for
REQUEST_FORMAT = "GET {} HTTP/1.1\r\nHost: site\r\n{}\r\n"
WEBSOCKET_HEADERS = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Protocol: sip\r\n"
)


class Pages(http.server.BaseHTTPRequestHandler):
    """Answers like the pages do to the front: an operator is recognised by their cookie."""

    protocol_version = "HTTP/1.1"
    connection_count = 0

    def setup(self) -> None:
        """Count a new connection."""
        super().setup()
        Pages.connection_count += 1

    def do_GET(self) -> None:
        """Answer 200, but for a session only with the cookie."""
        is_allowed = (
            self.path != "/operator/session" or self.headers.get("Cookie") == "session=dilnoza"
        )
        self.send_response(200 if is_allowed else 401)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    """A site of which only the front runs; fake servers replace the pages and Asterisk."""
    site_place = Place(tmp_path / "site")
    for folder in (site_place.folder, site_place.log_folder, site_place.run_folder):
        folder.mkdir(parents=True)
    front.make_certificates(site_place)
    servers = [
        http.server.ThreadingHTTPServer((site_place.box_address, port), Pages)
        for port in (GUNICORN_PORT, HTTP_PORT)
    ]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    # the limit of open files that a shell gives to a program by default
    command = ["prlimit", "--nofile=1024:", *front.write_config(site_place, tmp_path)]
    nginx = subprocess.Popen(command)
    try:
        wait_until(lambda: status_line(site_place, "/"), 30)
        yield site_place
    finally:
        nginx.terminate()
        nginx.wait()
        for server in servers:
            server.shutdown()
            server.server_close()


def status_line(place: Place, path: str, lines: str = "", wait: float = 20) -> str:
    """Return the first line of the answer, or "" without an answer."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        connection = socket.create_connection((place.box_address, TLS_PORT), wait)
        with connection, context.wrap_socket(connection) as tls_socket:
            tls_socket.sendall(REQUEST_FORMAT.format(path, lines).encode())
            return tls_socket.recv(200).decode().split("\r\n")[0]
    except OSError:
        return ""


def test_half_sent_requests_block_no_page_and_time_out(place: Place) -> None:
    with contextlib.ExitStack() as stack:
        for _ in range(CONNECTION_COUNT):
            half_open = stack.enter_context(
                socket.create_connection((place.box_address, TLS_PORT), 20)
            )
            half_open.sendall(b"\x16\x03\x01")  # the first bytes of a greeting
        answer = status_line(place, "/", wait=5)
        print(
            f"{CONNECTION_COUNT} half requests from one address; the next page: "
            f"{answer or 'no answer'}"
        )
        assert answer.startswith("HTTP/1.1 200")
        half_open.settimeout(40)
        assert half_open.recv(100) == b""  # closed by the front


def test_sip_over_websocket_needs_a_signed_in_operator(place: Place) -> None:
    for cookie in ("", "Cookie: session=nobody\r\n"):
        assert status_line(place, "/ws", WEBSOCKET_HEADERS + cookie).startswith("HTTP/1.1 401"), (
            cookie
        )
    assert status_line(place, "/ws", f"{WEBSOCKET_HEADERS}Cookie: session=dilnoza\r\n").startswith(
        "HTTP/1.1 200"
    )
    assert status_line(place, "/session").startswith("HTTP/1.1 404")


def test_connections_to_the_pages_stay_open(place: Place) -> None:
    count_before = Pages.connection_count
    for _ in range(5):
        assert status_line(place, "/").startswith("HTTP/1.1 200")
    assert Pages.connection_count == count_before
