"""A carrier reached by TLS and SRTP with an account: registration, calls out, calls in."""

import dataclasses
import shutil
import ssl
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.core.settings import Settings
from appliance.pbx import actions, config, eventlog
from appliance.telephony import routing, trunks
from appliance.telephony.routing import Trunk
from provisioning.local import asterisk as tree
from tests.pbx.certificates import certificate, certified
from tests.rig.waiting import until

LIMIT = 90
ACCOUNT, PASSWORD, HOTLINE = "4711", "s3cret", "1006"
PJSIP = """
[global]
type = global
[tls]
type = transport
protocol = tls
bind = {carrier}:5061
method = tlsv1_2
cert_file = {folder}/server.pem
priv_key_file = {folder}/server.key
[{account}]
type = endpoint
transport = tls
context = carrier
disallow = all
allow = alaw
auth = {account}
aors = {account}
media_encryption = sdes
media_address = {carrier}
bind_rtp_to_media_address = yes
[{account}]
type = auth
auth_type = userpass
username = {account}
password = {password}
[{account}]
type = aor
max_contacts = 1
"""
DIALPLAN = """
[carrier]
exten => _[+0-9].,1,Answer()
 same => n,Goto(told,s,1)
exten => out,1,Wait(1)
 same => n,Goto(told,s,1)
[told]
exten => s,1,Set(MEDIA=${CHANNEL(rtp,secure,audio)})
 same => n,CELGenUserEvent(SECURE,signalling=${CHANNEL(pjsip,secure)}&media=${MEDIA})
 same => n,Wait(20)
"""


@pytest.fixture(scope="module")
def settings(site: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """The site, whose only trunk is secure and has an account; its Asterisk is not started yet."""
    address = routing.current(site).trunks[0].address
    trunk = Trunk(
        "carrier",
        address=address,
        port=5061,
        transport="tls",
        srtp=True,
        register=True,
        user=ACCOUNT,
        password=PASSWORD,
    )
    routing.save(dataclasses.replace(routing.current(site), trunks=(trunk,)), by="rustam")
    tested = dataclasses.replace(site.calls, test_number="+998712000000")
    return dataclasses.replace(certified(site, tmp_path_factory.mktemp("tls")), calls=tested)


@dataclasses.dataclass
class Carrier:
    """The carrier's Asterisk."""

    folder: Path
    command: list[str]

    def ask(self, line: str) -> str:
        """What its console answers."""
        done = subprocess.run([*self.command, "-rx", line], capture_output=True, timeout=30)
        return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else ""

    def told(self) -> list[dict[str, str]]:
        """How secure each call was that it had."""
        log = self.folder / "log/cel-custom/events.csv"
        pieces = eventlog.pieces(log.read_bytes()) if log.exists() else []
        return [
            piece.event.extra for piece in pieces if piece.event and piece.event.type == "SECURE"
        ]


@pytest.fixture(scope="module")
def carrier(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    """An Asterisk at the carrier's address, configured like ours but for SIP and the dialplan."""
    config.install(settings)
    folder = tmp_path_factory.mktemp("carrier")
    ours, address = settings.paths.asterisk.parent, routing.current(settings).trunks[0].address
    for file in settings.paths.asterisk.glob("*.conf"):
        text = file.read_text("utf-8").replace(str(ours), str(folder))
        text = text.replace(settings.asterisk.address, address)
        (folder / "etc").mkdir(exist_ok=True)
        (folder / "etc" / file.name).write_text(text, "utf-8")
    for name in ("run", "log/cel-custom", "spool", "var/keys"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(settings.asterisk.data, folder / "data", symlinks=True)
    certificate(folder, address)
    facts = {"carrier": address, "folder": folder, "account": ACCOUNT, "password": PASSWORD}
    (folder / "etc/pjsip.conf").write_text(PJSIP.format(**facts), "utf-8")
    (folder / "etc/extensions.conf").write_text(DIALPLAN, "utf-8")
    (folder / "etc/queues.conf").write_text("", "utf-8")
    command = [*tree.command(), "-C", str(folder / "etc/asterisk.conf")]
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    process = subprocess.Popen([*command, "-f"], **quiet)
    made = Carrier(folder, command)
    try:
        until(lambda: "up" in made.ask("core show uptime").lower(), limit=LIMIT)
        yield made
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def ours(settings: Settings, carrier: Carrier) -> Iterator[list[str]]:
    """The command of our own Asterisk, which runs and has registered."""
    command = [*tree.command(), "-C", str(settings.paths.asterisk / "asterisk.conf")]
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    process = subprocess.Popen([*command, "-f"], **quiet)
    try:
        until(lambda: ACCOUNT in carrier.ask("pjsip show contacts"), limit=LIMIT)
        yield command
    finally:
        process.kill()
        process.wait()


def test_it_registers_with_its_account(ours: list[str], carrier: Carrier) -> None:
    def registered() -> bool:
        line = [*ours, "-rx", "pjsip show registrations"]
        done = subprocess.run(line, capture_output=True, text=True, timeout=30)
        return "Registered" in done.stdout

    until(registered, limit=LIMIT)
    assert ":5061;transport=" in carrier.ask("pjsip show contacts")


@pytest.mark.usefixtures("ours")
def test_a_call_out_is_secure(settings: Settings, carrier: Carrier) -> None:
    before = len(carrier.told())
    actions.try_line(settings, "carrier", "rustam")
    until(lambda: len(carrier.told()) > before, limit=LIMIT)
    assert carrier.told()[-1] == {"signalling": "1", "media": "1"}
    assert ("carrier", None) in trunks.tests()


@pytest.mark.usefixtures("ours")
def test_a_call_in_is_known_by_its_address_and_secure(settings: Settings, carrier: Carrier) -> None:
    before = len(carrier.told())
    there = f"PJSIP/{ACCOUNT}/sip:{HOTLINE}@{settings.asterisk.address}:5061;transport=tls"
    carrier.ask(f"channel originate {there} extension out@carrier")
    until(lambda: len(carrier.told()) > before, limit=LIMIT)
    assert carrier.told()[-1] == {"signalling": "1", "media": "1"}
    log = settings.paths.event_log.read_bytes()
    arrived = [p.event for p in eventlog.pieces(log) if p.event and p.event.type == "ARRIVED"]
    assert [event.extra["trunk"] for event in arrived] == ["carrier"]


def test_a_new_certificate_is_taken_without_a_restart(ours: list[str], settings: Settings) -> None:
    """As the playbook has it: the same files, and the SIP module read anew."""
    place = settings.asterisk

    def shown() -> str:
        return ssl.get_server_certificate((place.address, place.sip_port + 1), timeout=30)

    before = shown()
    assert place.certificate
    certificate(place.certificate.parent, place.address)
    subprocess.run([*ours, "-rx", "module reload res_pjsip.so"], check=True, capture_output=True)
    until(lambda: shown() != before, limit=LIMIT)
    assert shown().split() == place.certificate.read_text("ascii").split()
