"""Attacks on the pages through the box's own nginx: its role's configuration, the real process."""

import contextlib
import dataclasses
import http.client
import json
import os
import re
import shutil
import socket
import ssl
import statistics
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import jinja2
import pytest
from argon2 import PasswordHasher
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as trying
from markupsafe import escape

from appliance.core import db
from appliance.core import settings as site_settings
from appliance.core.i18n import LOCALES, translations
from appliance.core.settings import Settings
from appliance.models import User
from appliance.telephony import desk_phones
from appliance.web.api import views
from provisioning.local.settings_file import scratch
from tests.rig.people import OF_ROLE, PASSWORD, PEOPLE
from tests.rig.programs import key_in_force
from tests.rig.waiting import until
from tests.web.shell.test_access import PROGRAM, ROUTES, address
from tests.web.shell.test_attacks import CLIMBS, FILTERS, QUERIES

ROLE = Path(__file__).parents[2] / "provisioning/ansible/roles/tls/templates/site.conf.j2"
APPLIANCE = str(Path(sys.executable).parent / "appliance")
LAN, OUTSIDE = "127.9.64.2", "127.9.65.2"  # an operator's computer, and one of the ministry
EVIL = "evil.example"
HTTP = """\
daemon off;
master_process off;
pid {run}/nginx.pid;
error_log {run}/error.log warn;
events {{ worker_connections 2048; }}
http {{
    include /etc/nginx/mime.types;
    client_body_temp_path {run}/body;
    proxy_temp_path {run}/proxy;
    fastcgi_temp_path {run}/fastcgi;
    uwsgi_temp_path {run}/uwsgi;
    scgi_temp_path {run}/scgi;
    {site}
}}
"""


@dataclasses.dataclass
class Front:
    """The pages behind nginx."""

    settings: Settings
    host: str
    port: int
    authority: Path

    def send(self, data: bytes, source: str = LAN, wait: float = 20) -> bytes:
        """Octets as they are, and all that comes back until it is closed or silent."""
        trusting = ssl.create_default_context(cafile=str(self.authority))
        trusting.check_hostname = False
        got = b""
        with (
            socket.create_connection((self.host, self.port), wait, (source, 0)) as line,
            contextlib.suppress(OSError),
            trusting.wrap_socket(line) as safe,
        ):
            safe.sendall(data)
            while more := safe.recv(65_536):
                got += more
        return got

    def raw(self, path: str, *lines: str, source: str = LAN, host: str = "localhost") -> bytes:
        """A GET, nothing of it made right."""
        head = [f"GET {path} HTTP/1.1", f"Host: {host}", "Connection: close", *lines, "", ""]
        return self.send("\r\n".join(head).encode("latin-1"), source)


class Visitor:
    """A browser's cookies and the page's token."""

    def __init__(self, front: Front, source: str = LAN) -> None:
        self.front, self.source = front, source
        self.cookies: dict[str, str] = {}
        self.trusting = ssl.create_default_context(cafile=str(front.authority))
        self.trusting.check_hostname = False

    def ask(
        self, path: str, form: dict[str, str] | None = None, **headers: str
    ) -> tuple[int, str, http.client.HTTPMessage]:
        """Status, text, headers."""
        line = http.client.HTTPSConnection(
            self.front.host,
            self.front.port,
            timeout=60,
            source_address=(self.source, 0),
            context=self.trusting,
        )
        sent = {"Host": "localhost", "Referer": "https://localhost/"}
        sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        body = urllib.parse.urlencode(form) if form is not None else None
        if body is not None:
            sent["Content-Type"] = "application/x-www-form-urlencoded"
        with contextlib.closing(line):
            sent |= {name.replace("_", "-"): value for name, value in headers.items()}
            line.request("POST" if body is not None else "GET", path, body, sent)
            answer = line.getresponse()
            text = answer.read().decode(errors="replace")
        for cookie in answer.headers.get_all("Set-Cookie", ()):
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        return answer.status, text, answer.headers

    def token(self, page: str = "/account") -> str:
        """Of a page's forms."""
        found = re.search(r'name="csrf-token" content="([^"]+)"', self.ask(page)[1])
        assert found
        return found[1]

    def sign_in(self, login: str, password: str = PASSWORD, **headers: str) -> int:
        """Fill the form in; the status."""
        form = {"csrf_token": self.token("/login"), "login": login, "password": password}
        return self.ask("/login", form, **headers)[0]

    @classmethod
    def of(cls, front: Front, role: str) -> Self:
        """One who has signed in."""
        made = cls(front)
        assert made.sign_in(OF_ROLE[role]) in (302, 303)
        return made


def _port(host: str) -> int:
    with socket.socket() as free:
        free.bind((host, 0))
        return int(free.getsockname()[1])


@pytest.fixture(scope="module")
def behind(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> Iterator[Front]:
    """The site's pages, `appliance web`, behind nginx as the role has it."""
    folder = tmp_path_factory.mktemp("front")
    host = f"127.9.{os.environ.get('PYTEST_XDIST_WORKER', 'gw0').removeprefix('gw')}.7"
    bind, tls, port = f"{host}:{_port(host)}", _port(host), _port(host)
    files = folder / "tls"
    files.mkdir()
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-nodes", "-days", "2", "-subj", "/CN=x"]
    command += ["-addext", f"subjectAltName=IP:{host}"]
    command += ["-pkeyopt", "ec_paramgen_curve:P-256", "-keyout", str(files / "server.key")]
    subprocess.run([*command, "-out", files / "server.pem"], check=True, capture_output=True)
    file = folder / "site.toml"
    own = {"certificate": str(files / "server.pem"), "certificate_key": str(files / "server.key")}
    web = {"bind": bind, "threads": 128}  # as a box has it
    file.write_text(scratch(web=web, asterisk=own))
    settings = site_settings.load(file)
    shutil.copy(peopled, settings.paths.database)
    environment = jinja2.Environment(autoescape=False)  # noqa: S701  nginx's file
    environment.filters["bool"] = bool  # Ansible's
    text = environment.from_string(ROLE.read_text()).render(
        tls_connections=300, site_name="localhost", site_operators=[LAN], site_browser_phones=False
    )
    built = Path(db.__file__).parents[2] / "appliance/built"
    for was, now in (
        ("listen 80 ", f"listen {host}:{port} "),
        ("listen 443 ", f"listen {host}:{tls} "),
        ("127.0.0.1:8000", bind),
        ("/etc/appliance/tls", str(files)),
        (re.search(r"alias (\S+);", text)[1], f"{built}/"),  # type: ignore[index]
    ):
        assert was in text
        text = text.replace(was, now)
    (folder / "nginx.conf").write_text(HTTP.format(run=folder, site=text))
    with db.open_database(settings.paths.database).connection_context():
        # as a box has them: the tests' own are weak, and the time would tell
        User.update(password_hash=PasswordHasher().hash(PASSWORD)).execute()
        with (folder / "web.log").open("wb") as log:
            program = [APPLIANCE, "--config", str(file), "web"]
            nginx = ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]
            running = [
                subprocess.Popen(program, stdout=log, stderr=log),
                subprocess.Popen([*nginx, "-e", str(folder / "error.log")]),
            ]
        made = Front(settings, host, tls, files / "server.pem")
        try:
            until(lambda: b"200 OK" in _tried(made), 90)
            yield made
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(30)


def _tried(made: Front) -> bytes:
    with contextlib.suppress(OSError):
        return made.raw("/healthz")
    return b""


def test_the_pages_connections_stay_open(behind: Front) -> None:
    visitor = Visitor(behind)
    assert visitor.ask("/login")[0] == 200
    before = _open_ones(behind)
    for _ in range(5):
        assert visitor.ask("/login")[0] == 200
    after = _open_ones(behind)
    assert after
    assert after <= before


def _open_ones(front: Front) -> set[str]:
    """Ports from which the front holds a connection to the pages."""
    host, _, port = front.settings.web.bind.partition(":")
    there = f"{socket.inet_aton(host)[::-1].hex().upper()}:{int(port):04X}"
    lines = [line.split() for line in Path("/proc/net/tcp").read_text("ascii").splitlines()]
    return {words[1] for words in lines if words[2:4] == [there, "01"]}


LOGIN = b'name="password"'
HIDDEN = b"GET /login HTTP/1.1\r\nHost: localhost\r\nX: "
SMUGGLED = {
    "length and chunks": ("Content-Length: %d", "Transfer-Encoding: chunked"),
    "chunks and length": ("Transfer-Encoding: chunked", "Content-Length: %d"),
    "two lengths": ("Content-Length: 0", "Content-Length: %d"),
    "two lengths in one": ("Content-Length: 0, %d",),
    "a signed length": ("Content-Length: +%d",),
    "a length in hex": ("Content-Length: 0x10",),
    "a blank before the colon": ("Content-Length : %d",),
    "a folded header": ("X: y\r\n Content-Length: %d",),
    "chunks by another name": ("Transfer-Encoding: xchunked",),
    "a blank behind chunks": ("Transfer-Encoding : chunked",),
    "a tab before chunks": ("Transfer-Encoding:\x0bchunked",),
    "chunks twice": ("Transfer-Encoding: chunked", "Transfer-Encoding: identity"),
    "chunks in capitals and more": ("Transfer-Encoding: gzip, chunked",),
    "an underscore": ("Content_Length: %d",),
    "a bare line feed": ("X: y\nTransfer-Encoding: chunked",),
    "a bare return": ("X: y\rTransfer-Encoding: chunked",),
    "a nul": ("Content-Length: 0\x00%d",),
}


@pytest.mark.parametrize("kind", SMUGGLED)
def test_no_request_hides_in_another(behind: Front, kind: str) -> None:
    """Nobody is answered what he did not ask, and whoever comes next gets his own answer."""
    body = b"0\r\n\r\n" + HIDDEN
    lines = [line % len(body) if "%d" in line else line for line in SMUGGLED[kind]]
    head = ["POST /healthz HTTP/1.1", "Host: localhost", *lines, "", ""]
    got = behind.send("\r\n".join(head).encode("latin-1") + body, wait=3)
    statuses = re.findall(rb"HTTP/1.1 (\d+)", got)
    assert LOGIN not in got, "the hidden request was answered"
    assert not {b"200", b"500"} & set(statuses), statuses
    for _ in range(3):
        assert behind.raw("/healthz").endswith(b"ok\n")


PATHS = ("/{0}", "//{0}", "/./{0}", "/x/../{0}", "/%{1:02x}{2}", "/{0}?a", "/{0}#a", "/{0};a")
PATHS += (
    "/x/..%2f{0}",
    "/{0}%00",
    "/{0}%20",
    "/%2f{0}",
    "/{0}/.",
    "/{0}//",
    "https://localhost/{0}",
)
PATHS += ("/{0}%3f", "/{0}%23", "\\{0}", "/\t{0}", "/built/..%2f{0}", "/live/../{0}", "/{3}")


def spelt(path: str) -> list[str]:
    """A path as it might slip past a rule of nginx."""
    return [one.format(path, ord(path[0]), path[1:], path.upper()) for one in PATHS]


def test_no_spelling_leads_past_the_front(behind: Front) -> None:
    """The machine's figures are for itself, phones' settings for the operators' network."""
    settings, user = behind.settings, User.get(User.login == "nilufar")
    desk_phones.save(user, "yealink", "001565a1b2c3", settings, None)
    given = desk_phones.give_address(user, settings, None).address
    token = given.rstrip("/").rpartition("/")[2]
    file = f"phones/{token}/001565a1b2c3.cfg"
    for path in spelt("metrics"):
        for more in ((), ("X-Forwarded-For: 127.0.0.1",), ("X-Real-IP: 127.0.0.1",)):
            assert b"# HELP" not in behind.raw(path, *more), path
    for path in spelt(file):
        assert b"account.1" not in behind.raw(path, source=OUTSIDE), path
    assert b"account.1" in behind.raw(f"/{file}")
    print(f"spellings of two closed paths: {3 * len(PATHS) + len(PATHS)}, passed: 0")


@pytest.mark.parametrize("root", ["built/", "built", "calls/", "prompts/", "help/", ""])
def test_no_path_climbs_out(behind: Front, root: str) -> None:
    manager = Visitor.of(behind, "manager")
    cookie = "; ".join(f"{name}={value}" for name, value in manager.cookies.items())
    for climb in (*CLIMBS, "../site.toml", "..%2fsite.toml", "%2e%2e/%2e%2e/setup.cfg", "..;/x"):
        got = behind.raw(f"/{root}{climb}", f"Cookie: {cookie}")
        status = got.split(b" ", 2)[1]
        assert int(status) < 500, climb
        assert b"root:x:0" not in got
        assert b"secret_key" not in got
        assert b"[metadata]" not in got
    for header in ("X-Accel-Redirect: /etc/passwd", "X-Sendfile: /etc/passwd"):
        assert b"root:x:0" not in behind.raw("/account", f"Cookie: {cookie}", header)


def test_no_host_or_header_leads_away_or_is_kept(behind: Front) -> None:
    manager = Visitor.of(behind, "manager")
    for headers in (
        {"Host": EVIL},
        {"X_Forwarded_Host": EVIL},
        {"Forwarded": f"host={EVIL};proto=http"},
        {"X_Forwarded_Prefix": f"//{EVIL}"},
        {"X_Original_URL": "/people"},
        {"X_HTTP_Method_Override": "DELETE"},
        {"X_Forwarded_Proto": "http"},
    ):
        for path in ("/", "/account", "/appeals", "/login", "/account?til=ru", "/x.css"):
            status, text, told = manager.ask(path, **headers)
            assert status < 500
            assert EVIL not in text + str(told), (headers, path)
            assert "no-store" in told["Cache-Control"] or status >= 300, path
    # Somebody's page under the name of a file that a cache would keep.
    for path in ("/account/a.css", "/account%2fa.css", "/built/..%2faccount", "/account;a.js"):
        status, text, told = manager.ask(path)
        assert "Sherzod" not in text or "no-store" in told["Cache-Control"], path


def test_no_change_comes_from_elsewhere(behind: Front) -> None:
    manager = Visitor.of(behind, "manager")
    token, name = manager.token(), "Hujum"
    form = {"name_uz_latn": name, "own_body": "on"}
    sent = 0
    for more, headers in (
        ({}, {}),
        ({"csrf_token": "x"}, {}),
        ({"csrf_token": token}, {"Referer": f"https://{EVIL}/", "Origin": f"https://{EVIL}"}),
        ({"csrf_token": token}, {"Referer": ""}),
        ({"csrf_token": token}, {"Referer": "http://localhost/"}),
        ({"csrf_token": Visitor(behind).token("/login")}, {}),
        ({}, {"X_CSRFToken": "x"}),
        ({}, {"Content_Type": "text/plain"}),
    ):
        status, _text, _told = manager.ask("/departments", form | more, **headers)
        assert status in (400, 403), (more, headers, status)
        sent += 1
    assert name not in manager.ask("/departments")[1]
    print(f"changes from elsewhere: {sent}, done: 0")


def test_a_session_is_nobody_elses(behind: Front) -> None:
    fixed = Visitor(behind)
    fixed.ask("/login")
    before = dict(fixed.cookies)
    assert fixed.sign_in(OF_ROLE["supervisor"]) in (302, 303)
    thief = Visitor(behind, OUTSIDE)
    thief.cookies = before
    assert thief.ask("/account")[0] in (302, 303)
    stolen = dict(fixed.cookies)
    fixed.ask("/logout", {"csrf_token": fixed.token()})
    thief.cookies = stolen
    assert thief.ask("/account")[0] in (302, 303)


def test_other_addresses_in_headers_are_no_further_tries(behind: Front) -> None:
    source, told = "127.9.66.2", []
    for number in range(8):
        visitor = Visitor(behind, source)
        with contextlib.suppress(AssertionError):
            spoofed = {"X_Forwarded_For": f"10.0.0.{number}", "X_Real_IP": f"10.0.0.{number}"}
            told.append(visitor.sign_in("oybek", "notogri", **spoofed))
    assert told[-1] == 429
    assert told.count(429) == 3


def test_the_time_tells_no_name(behind: Front) -> None:
    """Medians of failed sign-ins, names known and unknown in turn, each from another address."""
    took: dict[str, list[float]] = {"known": [], "unknown": []}
    for number in range(7):
        for kind, name in (("known", [*PEOPLE][number % 5]), ("unknown", f"hechkim{number}")):
            visitor = Visitor(behind, f"127.9.{70 + number}.{3 if kind == 'known' else 4}")
            token = visitor.token("/login")
            form = {"csrf_token": token, "login": name, "password": "notogri-parol"}
            began = time.perf_counter()
            visitor.ask("/login", form)
            took[kind].append(time.perf_counter() - began)
    known, unknown = map(statistics.median, took.values())
    print(f"a failed sign-in: known {known * 1000:.0f} ms, unknown {unknown * 1000:.0f} ms")
    assert 0.5 < unknown / known < 2  # a busy machine's clock tells no more; unhashed it is a tenth


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("length", ["Content-Length: 42000000", "Transfer-Encoding: chunked"])
def test_what_is_too_large_is_told_in_the_readers_language(
    behind: Front, locale: str, length: str
) -> None:
    """Of a form that nginx itself does not let in, with all of it sent or a part."""
    with db.open_database(behind.settings.paths.database).connection_context():
        User.update(language=locale).execute()
    visitor = Visitor.of(behind, "technician")
    cookies = "; ".join(f"{name}={value}" for name, value in visitor.cookies.items())
    head = ["POST /people/import HTTP/1.1", "Host: localhost", f"Cookie: {cookies}", length]
    body = b"2900000\r\n" + bytes(43 << 20) if "chunked" in length else b"people=" + bytes(9)
    got = behind.send("\r\n".join([*head, "", ""]).encode() + body)
    assert got.startswith(b"HTTP/1.1 413 ")
    text, say = got.decode(), translations(locale).gettext
    for words in ("That is too large", "Go back with the browser's button and send less."):
        assert escape(say(words)) in text
    assert "Content-Security-Policy" in text
    assert "<center>nginx" not in text
    assert behind.raw("/too-large").startswith(b"HTTP/1.1 404 ")  # for nginx itself


def test_no_role_opens_what_is_another_s(behind: Front) -> None:
    """Every page of every other role, by its address."""
    opened, tried = [], 0
    for role in OF_ROLE:
        visitor = Visitor.of(behind, role)
        for route, roles in ROUTES.items():
            if not route.startswith("GET") or role in roles or "anonymous" in roles:
                continue
            if roles == PROGRAM:
                continue
            status, _text, _told = visitor.ask(address(route))
            tried += 1
            if status not in (401, 403, 404):
                opened.append((role, route, status))
    assert opened == []
    print(f"pages of other roles: {tried}, opened: 0")


def test_no_filter_or_order_is_a_query(behind: Front) -> None:
    manager, tried = Visitor.of(behind, "manager"), 0
    for path, names in FILTERS.items():
        for name in (*names, "order", "sort", "page"):
            lines = []
            for value in (QUERIES[0], "x"):
                asked = urllib.parse.urlencode({"all": "1", name: value})
                status, text, _told = manager.ask(f"{path}?{asked}")
                assert status < 500, (path, name)
                lines.append(len(text.splitlines()))
                tried += 1
            assert lines[0] <= lines[1], (path, name)
    print(f"queries in filters and orders: {tried}, taken: 0")


def test_the_api_answers_as_its_document_says(behind: Front) -> None:
    import schemathesis  # here: long to load

    headers = {"Authorization": f"Bearer {key_in_force()}", "Host": "localhost"}
    schema = schemathesis.openapi.from_dict(json.loads(views.DOCUMENT.read_text("utf-8")))
    answers: list[int] = []
    for found in schema.exclude(path="/openapi.json").get_all_operations():
        operation = found.ok()

        @trying(
            max_examples=6,
            deadline=None,
            derandomize=True,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def fuzz(case: schemathesis.Case) -> None:
            base = f"https://{behind.host}:{behind.port}/api/v1"
            answer = case.call(base_url=base, headers=headers, verify=str(behind.authority))
            answers.append(answer.status_code)
            assert answer.status_code < 500

        fuzz()
    assert len(answers) >= 6 * 3
