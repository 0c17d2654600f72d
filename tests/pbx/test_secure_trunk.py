"""A carrier reached over TLS and SRTP: registration with an account, calls in both directions."""

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
from tests.pbx.certificates import create_certificate, settings_with_certificate
from tests.rig.waiting import wait_until

LIMIT_SECONDS = 90
ACCOUNT, PASSWORD, HOTLINE = "4711", "s3cret", "1006"
PJSIP_TEMPLATE = """
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
CARRIER_DIALPLAN = """
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
    address = routing.current_plan(site).trunks[0].address
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
    routing.save_plan(dataclasses.replace(routing.current_plan(site), trunks=(trunk,)), by="rustam")
    calls = dataclasses.replace(site.calls, test_number="+998712000000")
    return dataclasses.replace(
        settings_with_certificate(site, tmp_path_factory.mktemp("tls")), calls=calls
    )


@dataclasses.dataclass
class Carrier:
    """The carrier's Asterisk."""

    folder: Path
    command: list[str]

    def console_output(self, line: str) -> str:
        """Return the output of a console command, or "" if it failed."""
        process = subprocess.run([*self.command, "-rx", line], capture_output=True, timeout=30)
        return process.stdout.decode("utf-8", "replace") if process.returncode == 0 else ""

    def security_of_calls(self) -> list[dict[str, str]]:
        """Return how secure each of its calls was."""
        log = self.folder / "log/cel-custom/events.csv"
        pieces = eventlog.split_log(log.read_bytes()) if log.exists() else []
        return [
            piece.event.extra for piece in pieces if piece.event and piece.event.type == "SECURE"
        ]


@pytest.fixture(scope="module")
def carrier(settings: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Carrier]:
    """An Asterisk at the carrier's address, configured like ours except SIP and dialplan."""
    config.install_files(settings)
    folder = tmp_path_factory.mktemp("carrier")
    site_folder, address = (
        settings.paths.asterisk.parent,
        routing.current_plan(settings).trunks[0].address,
    )
    for file in settings.paths.asterisk.glob("*.conf"):
        text = file.read_text("utf-8").replace(str(site_folder), str(folder))
        text = text.replace(settings.asterisk.address, address)
        (folder / "etc").mkdir(exist_ok=True)
        (folder / "etc" / file.name).write_text(text, "utf-8")
    for name in ("run", "log/cel-custom", "spool", "var/keys"):
        (folder / name).mkdir(parents=True)
    shutil.copytree(settings.asterisk.data, folder / "data", symlinks=True)
    create_certificate(folder, address)
    facts = {"carrier": address, "folder": folder, "account": ACCOUNT, "password": PASSWORD}
    (folder / "etc/pjsip.conf").write_text(PJSIP_TEMPLATE.format(**facts), "utf-8")
    (folder / "etc/extensions.conf").write_text(CARRIER_DIALPLAN, "utf-8")
    (folder / "etc/queues.conf").write_text("", "utf-8")
    command = [*tree.start_command(), "-C", str(folder / "etc/asterisk.conf")]
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    process = subprocess.Popen([*command, "-f"], **quiet)
    running = Carrier(folder, command)
    try:
        wait_until(
            lambda: "up" in running.console_output("core show uptime").lower(), limit=LIMIT_SECONDS
        )
        yield running
    finally:
        process.kill()
        process.wait()


@pytest.fixture(scope="module")
def own_asterisk(settings: Settings, carrier: Carrier) -> Iterator[list[str]]:
    """The command of our own Asterisk, which is running and has registered."""
    command = [*tree.start_command(), "-C", str(settings.paths.asterisk / "asterisk.conf")]
    quiet = {
        "stdin": subprocess.DEVNULL,
        "stdout": subprocess.DEVNULL,
        "stderr": subprocess.DEVNULL,
    }
    process = subprocess.Popen([*command, "-f"], **quiet)
    try:
        wait_until(
            lambda: ACCOUNT in carrier.console_output("pjsip show contacts"), limit=LIMIT_SECONDS
        )
        yield command
    finally:
        process.kill()
        process.wait()


def test_the_trunk_registers_with_its_account(own_asterisk: list[str], carrier: Carrier) -> None:
    def is_registered() -> bool:
        line = [*own_asterisk, "-rx", "pjsip show registrations"]
        process = subprocess.run(line, capture_output=True, text=True, timeout=30)
        return "Registered" in process.stdout

    wait_until(is_registered, limit=LIMIT_SECONDS)
    assert ":5061;transport=" in carrier.console_output("pjsip show contacts")


@pytest.mark.usefixtures("own_asterisk")
def test_an_outbound_call_is_secure(settings: Settings, carrier: Carrier) -> None:
    before = len(carrier.security_of_calls())
    actions.start_line_trial(settings, "carrier", "rustam")
    wait_until(lambda: len(carrier.security_of_calls()) > before, limit=LIMIT_SECONDS)
    assert carrier.security_of_calls()[-1] == {"signalling": "1", "media": "1"}
    assert ("carrier", None) in trunks.latest_tests()


@pytest.mark.usefixtures("own_asterisk")
def test_an_inbound_call_is_recognised_by_its_address_and_secure(
    settings: Settings, carrier: Carrier
) -> None:
    before = len(carrier.security_of_calls())
    destination = f"PJSIP/{ACCOUNT}/sip:{HOTLINE}@{settings.asterisk.address}:5061;transport=tls"
    carrier.console_output(f"channel originate {destination} extension out@carrier")
    wait_until(lambda: len(carrier.security_of_calls()) > before, limit=LIMIT_SECONDS)
    assert carrier.security_of_calls()[-1] == {"signalling": "1", "media": "1"}
    log = settings.paths.event_log.read_bytes()
    arrivals = [p.event for p in eventlog.split_log(log) if p.event and p.event.type == "ARRIVED"]
    assert [event.extra["trunk"] for event in arrivals] == ["carrier"]


def test_a_new_certificate_is_presented_without_a_restart(
    own_asterisk: list[str], settings: Settings
) -> None:
    """As the playbook does it: the same file names, and a reload of the SIP module."""
    place = settings.asterisk

    def presented_certificate() -> str:
        return ssl.get_server_certificate((place.address, place.sip_port + 1), timeout=30)

    before = presented_certificate()
    assert place.certificate
    create_certificate(place.certificate.parent, place.address)
    subprocess.run(
        [*own_asterisk, "-rx", "module reload res_pjsip.so"], check=True, capture_output=True
    )
    wait_until(lambda: presented_certificate() != before, limit=LIMIT_SECONDS)
    assert presented_certificate().split() == place.certificate.read_text("ascii").split()
