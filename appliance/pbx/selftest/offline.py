"""The offline drill: a call and the registration of its appeal, without any network but loopback.

It runs on a small site next to the real one, in a network namespace that contains only loopback;
the real site and the network of the machine are not touched.
"""

import contextlib
import fcntl
import os
import re
import socket
import struct
import tempfile
import time
from pathlib import Path

import requests

from appliance.box import selftests
from appliance.box.selftests import SelfTestResult
from appliance.core import clock, db
from appliance.core.settings import Settings
from appliance.models import Appeal
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.pbx.config import SHORT_DNS_TIMEOUT
from appliance.pbx.selftest import scratch
from appliance.pbx.selftest.call import CallScenario, run_scenario
from appliance.pbx.selftest.scratch import ScratchSite
from appliance.pbx.selftest.steps import StepFailed, Steps

START_LIMIT_SECONDS = 180.0  # until the small site answers
_IOCTL_SET_FLAGS, _FLAGS_UP_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP | IFF_RUNNING
_IOCTL_SET_ADDRESS, _IOCTL_SET_MASK = 0x8916, 0x891C  # SIOCSIFADDR, SIOCSIFNETMASK
_OUTSIDE_ADDRESS = ("192.0.2.1", 443)  # an address that no host has (RFC 5737)
_CITIZEN_NUMBER = "+998901234567"
_FORM_VALUES = {
    "applicant_kind": "person",
    "first_name": "Test",
    "surname": "Test",
    "phone": _CITIZEN_NUMBER,
    "gist": "Test",
    "openness": "open",
}


def run_offline_drill(settings: Settings) -> SelfTestResult:
    """Cut this process off the network for good, make a complete call, and record the result.

    It is for a process that does nothing else afterwards. It needs the right to create a network
    namespace: root, or user namespaces open to all users.
    """
    steps, scenario = Steps(), None
    started_at = clock.now()
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        try:
            with steps.time_step("cut"):
                isolate_network()
                name_servers = occupy_name_servers()
                os.environ |= SHORT_DNS_TIMEOUT
            with steps.time_step("site"):
                site = scratch.create_site(settings, Path(folder))
            with scratch.run_site(site.settings):
                with steps.time_step("start"):
                    _drain_queries(name_servers)
                    _wait_for_site(site)
                scenario = CallScenario(
                    site.settings,
                    caller=(_CITIZEN_NUMBER, ""),
                    phone=(scratch.OPERATOR_EXTENSION, site.sip_password),
                    from_host=scratch.CARRIER_ADDRESS,
                    steps=steps,
                )
                run_scenario(scenario)
                with steps.time_step("form"):
                    _register_appeal(site, scenario)
                with steps.time_step("names"):
                    _require_no_queries(name_servers)
        except StepFailed:
            pass  # the failed step, recorded in the steps, becomes the result
        finally:
            db.open_database(settings.paths.database)  # `create_site` has opened the small site's
    result = SelfTestResult(
        "offline", started_at, tuple(steps.finished), steps.failed_step, steps.detail
    )
    selftests.save_result(result)
    return result


def isolate_network() -> None:
    """Move this thread, and what it starts, to a namespace without any network but loopback.

    Raises OSError if the right to do so is missing, StepFailed if a way out remains.
    """
    if os.geteuid():
        user, group = os.geteuid(), os.getegid()
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")
    else:
        os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp_socket:
        fcntl.ioctl(udp_socket, _IOCTL_SET_FLAGS, struct.pack("16sh14x", b"lo", _FLAGS_UP_RUNNING))
        interfaces = [name for _, name in socket.if_nameindex() if name != "lo"]
        try:
            udp_socket.connect(_OUTSIDE_ADDRESS)
        except OSError:  # the network is unreachable, as it must be
            return
    raise StepFailed(f"there is a way out: {', '.join(interfaces)}")


def occupy_name_servers(file: Path = Path("/etc/resolv.conf")) -> list[socket.socket]:
    """Bind the addresses of the name servers, without answering; call it after `isolate_network`.

    Returns the sockets, which receive the queries for names: so the drill detects whether a name is
    looked up. `file` lists the name servers, in the form of resolv.conf.
    """
    lines = (line.split() for line in file.read_text("utf-8", "replace").splitlines())
    servers = dict.fromkeys(
        words[1] for words in lines if words[:1] == ["nameserver"] and "." in words[1]
    )
    sockets = []
    for number, server in enumerate(servers):
        if not server.startswith("127."):
            _add_loopback_address(f"lo:{number}", server)
        udp_socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        udp_socket.bind((server, 53))
        udp_socket.setblocking(False)
        sockets.append(udp_socket)
    return sockets


def _add_loopback_address(alias: str, address: str) -> None:
    """Give the loopback interface a further address, as its alias, such as "lo:1"."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp_socket:
        for request, value in ((_IOCTL_SET_ADDRESS, address), (_IOCTL_SET_MASK, "255.255.255.255")):
            address_record = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(
                udp_socket, request, struct.pack("16s16s8x", alias.encode(), address_record)
            )


def _drain_queries(name_servers: list[socket.socket]) -> list[bytes]:
    """Return the DNS queries that the sockets of `occupy_name_servers` received since last time."""
    queries = []
    for server in name_servers:
        with contextlib.suppress(BlockingIOError):  # no query is left
            while True:
                queries.append(server.recv(2048))
    return queries


def _require_no_queries(name_servers: list[socket.socket]) -> None:
    """Raise StepFailed if a name was looked up since the site was started.

    The machine's own name does not count: Asterisk looks it up once, when it starts.
    """
    if names := {queried_name(query) for query in _drain_queries(name_servers)} - {
        socket.gethostname()
    }:
        raise StepFailed(", ".join(sorted(names)))


def queried_name(query: bytes) -> str:
    """Return the name that a DNS query asks for (RFC 1035: labels preceded by their lengths)."""
    labels, rest = [], query[12:]
    while rest and rest[0]:
        labels.append(rest[1 : rest[0] + 1].decode("ascii", "replace"))
        rest = rest[rest[0] + 1 :]
    return ".".join(labels)


def _wait_for_site(site: ScratchSite) -> None:
    """Wait until Asterisk, the pages and the operator's place in the queue are available.

    Raises StepFailed after START_LIMIT_SECONDS.
    """
    deadline, missing = time.monotonic() + START_LIMIT_SECONDS, "Asterisk"
    last_error: Exception | None = None
    while time.monotonic() < deadline:
        try:
            with Connection(site.settings) as asterisk:
                events = asterisk.list_events("QueueStatus", "QueueStatusComplete")
            missing = "the operator's queue"
            if any(event.get("Name") == scratch.OPERATOR_LOGIN for event in events):
                missing = "the pages"
                if requests.get(f"http://{site.settings.web.bind}/healthz", timeout=5).ok:
                    return
            last_error = None
        except (Unreachable, ActionRefused, requests.RequestException) as error:
            last_error = error  # expected while they start
        time.sleep(0.1)
    raise StepFailed(f"{missing} did not come up") from last_error


def _register_appeal(site: ScratchSite, scenario: CallScenario) -> None:
    """Sign in and register the call's appeal through the web pages, as an operator would.

    Raises StepFailed if the sign-in is refused or the appeal is not stored with the call.
    """
    base_url = f"http://{site.settings.web.bind}"
    with requests.Session() as browser:
        browser.trust_env = False
        # Without the TLS front, cookies that are for TLS only have to be carried manually.
        browser.hooks["response"].append(lambda answer, **_: _carry_cookie(browser, answer))
        browser.headers["X-Forwarded-Proto"] = "https"
        browser.headers["X-Forwarded-For"] = scratch.SITE_ADDRESS
        browser.headers["Referer"] = f"https://{site.settings.web.bind}/"
        token = _find_in_page(browser, f"{base_url}/login", r'name="csrf-token" content="([^"]+)"')
        credentials = {
            "csrf_token": token,
            "login": scratch.OPERATOR_LOGIN,
            "password": site.password,
        }
        response = browser.post(
            f"{base_url}/login", data=credentials, timeout=30, allow_redirects=False
        )
        if response.status_code != 302:
            raise StepFailed(f"sign-in: {response.status_code}")
        form_token = _find_in_page(
            browser, f"{base_url}/operator", r'id="form"[^>]* data-token="([^"]+)"'
        )
        token = _find_in_page(
            browser, f"{base_url}/operator", r'name="csrf-token" content="([^"]+)"'
        )
        response = browser.post(
            f"{base_url}/operator/forms/{form_token}/register",
            json={"values": _FORM_VALUES},
            headers={"X-CSRFToken": token},
            timeout=30,
        )
        response.raise_for_status()
    if not Appeal.select().where(Appeal.call_id == (scenario.row and scenario.row.id)).exists():
        raise StepFailed("the appeal does not hang on its call")


def _carry_cookie(browser: requests.Session, response: requests.Response) -> None:
    """Send the session cookie of this response with every later request."""
    for cookie in response.cookies:
        if "session" in cookie.name:
            browser.headers["Cookie"] = f"{cookie.name}={cookie.value}"


def _find_in_page(browser: requests.Session, address: str, pattern: str) -> str:
    """Return what a pattern's group matches in a page. Raises StepFailed if it does not match."""
    response = browser.get(address, timeout=30)
    match = re.search(pattern, response.text)
    if not match:
        raise StepFailed(f"{address}: {response.status_code}")
    return match[1]
