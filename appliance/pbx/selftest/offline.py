"""The drill: with no way out of the box, a citizen calls and his appeal is registered.

It happens on a small site beside the real one, in a network namespace that holds nothing but
loopback; the real site and the network of the machine are not touched.
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
from appliance.box.selftests import Result
from appliance.core import clock, db
from appliance.core.settings import Settings
from appliance.models import Appeal
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.pbx.config import QUICK_NAMES
from appliance.pbx.selftest import scratch
from appliance.pbx.selftest.call import Road, follow
from appliance.pbx.selftest.scratch import Scratch
from appliance.pbx.selftest.steps import StepFailed, Steps

START = 180.0  # seconds that the small site may take until it answers
_SET_FLAGS, _UP_RUNNING = 0x8914, 0x41  # SIOCSIFFLAGS; IFF_UP | IFF_RUNNING
_SET_ADDRESS, _SET_MASK = 0x8916, 0x891C  # SIOCSIFADDR, SIOCSIFNETMASK
_ELSEWHERE = ("192.0.2.1", 443)  # an address that nobody has (RFC 5737)
_CITIZEN = "+998901234567"
_TYPED = {
    "applicant_kind": "person",
    "first_name": "Test",
    "surname": "Test",
    "phone": _CITIZEN,
    "gist": "Test",
    "openness": "open",
}


def offline(settings: Settings) -> Result:
    """Cut the network of this process off, for good, and go a call's whole road; kept at the end.

    Only for a process that does nothing else afterwards. It needs the right to make a network
    namespace: root, or user namespaces that everybody may make.
    """
    steps, road = Steps(), None
    started = clock.now()
    with tempfile.TemporaryDirectory(prefix="drill-") as folder:
        try:
            with steps.step("cut"):
                cut_off()
                silent = silence()
                os.environ |= QUICK_NAMES
            with steps.step("site"):
                site = scratch.make(settings, Path(folder))
            with scratch.running(site.settings):
                with steps.step("start"):
                    _drain(silent)
                    _await(site)
                road = Road(
                    site.settings,
                    caller=(_CITIZEN, ""),
                    phone=(scratch.EXTENSION, site.sip_password),
                    from_host=scratch.CARRIER,
                    steps=steps,
                )
                follow(road)
                with steps.step("form"):
                    _register(site, road)
                with steps.step("names"):
                    _nothing_asked(silent)
        except StepFailed:
            pass  # written down in the steps
        finally:
            db.open_database(settings.paths.database)
    found = Result("offline", started, tuple(steps.done), steps.failed, steps.seen)
    selftests.record(found)
    return found


def cut_off() -> None:
    """Move this thread, and what it starts, where there is no network but loopback.

    Raises OSError when the right to do so is missing, StepFailed when there still is a way out.
    """
    if os.geteuid():
        user, group = os.geteuid(), os.getegid()
        os.unshare(os.CLONE_NEWUSER | os.CLONE_NEWNET)
        Path("/proc/self/setgroups").write_text("deny", "ascii")
        Path("/proc/self/uid_map").write_text(f"{user} {user} 1", "ascii")
        Path("/proc/self/gid_map").write_text(f"{group} {group} 1", "ascii")
    else:
        os.unshare(os.CLONE_NEWNET)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        fcntl.ioctl(line, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP_RUNNING))
        others = [name for _, name in socket.if_nameindex() if name != "lo"]
        try:
            line.connect(_ELSEWHERE)
        except OSError:
            return
    raise StepFailed(f"there is a way out: {', '.join(others)}")


def silence(file: Path = Path("/etc/resolv.conf")) -> list[socket.socket]:
    """Be the name servers of this machine, and answer nothing; after `cut_off` only.

    Returns the sockets that swallow what is asked.
    """
    lines = (line.split() for line in file.read_text("utf-8", "replace").splitlines())
    servers = dict.fromkeys(w[1] for w in lines if w[:1] == ["nameserver"] and "." in w[1])
    swallowing = []
    for number, server in enumerate(servers):
        if not server.startswith("127."):
            _own(f"lo:{number}", server)
        line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        line.bind((server, 53))
        line.setblocking(False)
        swallowing.append(line)
    return swallowing


def _own(alias: str, address: str) -> None:
    """Give loopback a further address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        for ask, value in ((_SET_ADDRESS, address), (_SET_MASK, "255.255.255.255")):
            place = struct.pack("HH4s8x", socket.AF_INET, 0, socket.inet_aton(value))
            fcntl.ioctl(line, ask, struct.pack("16s16s8x", alias.encode(), place))


def _drain(silent: list[socket.socket]) -> list[bytes]:
    """What was asked of the name servers since the last look."""
    asked = []
    for line in silent:
        with contextlib.suppress(BlockingIOError):
            while True:
                asked.append(line.recv(2048))
    return asked


def _nothing_asked(silent: list[socket.socket]) -> None:
    """Raise StepFailed when somebody looked a name up since the site was started.

    The machine's own does not count: Asterisk asks for it once, when it starts.
    """
    if asked := {name_of(query) for query in _drain(silent)} - {socket.gethostname()}:
        raise StepFailed(", ".join(sorted(asked)))


def name_of(query: bytes) -> str:
    """The name that a query to a name server asks for (RFC 1035: labels led by their lengths)."""
    labels, rest = [], query[12:]
    while rest and rest[0]:
        labels.append(rest[1 : rest[0] + 1].decode("ascii", "replace"))
        rest = rest[rest[0] + 1 :]
    return ".".join(labels)


def _await(site: Scratch) -> None:
    """Until Asterisk, the pages and the operator's place in the queue are there."""
    end, lacking = time.monotonic() + START, "Asterisk"
    while time.monotonic() < end:
        try:
            with Connection(site.settings) as asterisk:
                events = asterisk.listed("QueueStatus", "QueueStatusComplete")
            lacking = "the operator's queue"
            if any(event.get("Name") == scratch.LOGIN for event in events):
                lacking = "the pages"
                if requests.get(f"http://{site.settings.web.bind}/healthz", timeout=5).ok:
                    return
        except (Unreachable, Refused, requests.RequestException):
            pass
        time.sleep(0.1)
    raise StepFailed(f"{lacking} did not come up")


def _register(site: Scratch, road: Road) -> None:
    """Sign in and register the call's appeal by the pages, as the operator would."""
    top = f"http://{site.settings.web.bind}"
    with requests.Session() as browser:
        browser.trust_env = False
        # The TLS front is not there, and cookies are for TLS only: they are carried by hand.
        browser.hooks["response"].append(lambda answer, **_: _carry(browser, answer))
        browser.headers["X-Forwarded-Proto"] = "https"
        browser.headers["X-Forwarded-For"] = scratch.HOST
        browser.headers["Referer"] = f"https://{site.settings.web.bind}/"
        token = _found(browser, f"{top}/login", r'name="csrf-token" content="([^"]+)"')
        sent = {"csrf_token": token, "login": scratch.LOGIN, "password": site.password}
        answer = browser.post(f"{top}/login", data=sent, timeout=30, allow_redirects=False)
        if answer.status_code != 302:
            raise StepFailed(f"sign-in: {answer.status_code}")
        form = _found(browser, f"{top}/operator", r'id="form"[^>]* data-token="([^"]+)"')
        token = _found(browser, f"{top}/operator", r'name="csrf-token" content="([^"]+)"')
        answer = browser.post(
            f"{top}/operator/forms/{form}/register",
            json={"values": _TYPED},
            headers={"X-CSRFToken": token},
            timeout=30,
        )
        answer.raise_for_status()
    if not Appeal.select().where(Appeal.call_id == (road.row and road.row.id)).exists():
        raise StepFailed("the appeal does not hang on its call")


def _carry(browser: requests.Session, answer: requests.Response) -> None:
    for cookie in answer.cookies:
        if "session" in cookie.name:
            browser.headers["Cookie"] = f"{cookie.name}={cookie.value}"


def _found(browser: requests.Session, address: str, pattern: str) -> str:
    """What a page holds. Raises StepFailed when it does not."""
    answer = browser.get(address, timeout=30)
    found = re.search(pattern, answer.text)
    if not found:
        raise StepFailed(f"{address}: {answer.status_code}")
    return found[1]
