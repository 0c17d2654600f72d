"""The site on the box under test: its playbooks, its people, and its view from outside."""

import base64
import io
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pypdf

from provisioning.box.bundle import PLAYBOOK_FOLDER
from tests.vm.machine import Machine
from tests.vm.network import ADDRESS_OF_PLACE, BOX_ADDRESS, LAN_NETWORK, Network

TESTS_FOLDER = Path(__file__).parent
SOURCE_ROOT = TESTS_FOLDER.parents[1]
SITE_NAME = "hotline.test"
INVENTORY_TEXT = f"""
[hotline]
box ansible_host={BOX_ADDRESS} ansible_user=root

[hotline:vars]
bundle_dir=/media/bundle
site_address={BOX_ADDRESS}
site_name={SITE_NAME}
site_hotline_number=1006
site_carriers=[{{"name": "carrier", "address": "{ADDRESS_OF_PLACE["carrier"]}"}}]
site_operators=["{LAN_NETWORK}"]
site_technicians=["{LAN_NETWORK}"]
operator_proxy_sites=[".gov.uz"]
app_links_gateway={ADDRESS_OF_PLACE["lan"]}
app_tests_call_minutes=1440
app_tests_carrier_minutes=0
app_plain_phones=["*"]
backup_places=[{{"name": "second", "url": "/mnt/second/snapshots"}}]
backup_replica=/mnt/second/replica
"""


class Site:
    """One box and the places around it."""

    def __init__(self, machine: Machine, network: Network, extra_lines: str = "") -> None:
        """`more`: further lines of its inventory."""
        self.machine = machine
        self.network = network
        self.run_seconds: dict[str, float] = {}
        self._phone: subprocess.Popen[str] | None = None
        self._password = ""
        self._inventory = machine.folder / "site.ini"
        self._inventory.write_text(INVENTORY_TEXT + extra_lines, "utf-8")

    def run_playbook(self, book: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook from the technician's computer on the LAN, over SSH."""
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", self._inventory]
        control = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60s")
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(PLAYBOOK_FOLDER / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.machine.folder / "ansible"),
            "ANSIBLE_SSH_ARGS": " ".join([*control, *self.machine.ssh_options()]),
            "ANSIBLE_SSH_CONTROL_PATH": str(self.machine.folder / "c-%%h"),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        started_at = time.monotonic()
        process = subprocess.run(
            self.network.command_at("lan", [*command, PLAYBOOK_FOLDER / f"{book}.yml", *options]),
            env=environment,
            cwd=PLAYBOOK_FOLDER,
            capture_output=True,
            text=True,
            timeout=3600,
        )
        self.run_seconds[f"{book} {len(self.run_seconds)}"] = time.monotonic() - started_at
        return process

    def copy_inventory_to_box(self) -> None:
        """Write the same values for playbooks that run on the box itself."""
        local_host, text = "localhost ansible_connection=local", self._inventory.read_text("utf-8")
        text = re.sub(r"^box .*$", local_host, text, flags=re.MULTILINE)
        self.machine.run_checked("cat >/root/site.ini", text=text)

    def provision_box(self) -> None:
        """Run the documented command once."""
        process = self.run_playbook("site")
        assert process.returncode == 0, process.stdout[-6000:] + process.stderr

    def add_ready_operator(self) -> None:
        """Add a ready operator with a phone on the LAN that answers."""
        self.machine.run_checked(
            "echo secret-12345 | appliance user add dilnoza --name 'Dilnoza Karimova' "
            "--role operator --extension 1001 --sip-password phone-12345 --speaks uz,ru "
            "--password-stdin"
        )
        self.machine.run_checked("appliance render")
        self.switch_phone_on()

    def switch_phone_on(self) -> None:
        """Register the operator's phone, again if necessary, and make the operator ready."""
        self._switch_phone_off()
        folder = self.machine.folder / "phone"
        arguments = ("phones", folder, BOX_ADDRESS, ADDRESS_OF_PLACE["lan"], "1001", "phone-12345")
        self._phone = self.start_party("lan", *map(str, arguments))
        assert self._phone.stdout
        assert self._phone.stdout.readline() == '"registered"\n'
        self.machine.run_checked("appliance operator ready dilnoza")

    def start_party(self, place: str, *arguments: str) -> subprocess.Popen[str]:
        """Start an action of a party at that place (see party.py)."""
        command = [
            "setpriv",
            "--pdeathsig",
            "TERM",
            sys.executable,
            TESTS_FOLDER / "party.py",
            *arguments,
        ]
        return subprocess.Popen(
            self.network.command_at(place, command),
            cwd=SOURCE_ROOT,
            env={**os.environ, "PYTHONPATH": str(SOURCE_ROOT)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def run_party(self, place: str, *arguments: str) -> Any:
        """Run an action of a party at that place and return its result."""
        return party_result(self.start_party(place, *arguments))

    def start_call(self, stays: int) -> subprocess.Popen[str]:
        """Let a citizen call over the carrier's trunk and hang up after `stays` seconds."""
        folder = self.machine.folder / f"call-{time.monotonic_ns()}"
        return self.start_party(
            "carrier", "call", str(folder), BOX_ADDRESS, ADDRESS_OF_PLACE["carrier"], str(stays)
        )

    def ledger_calls(self) -> list[dict[str, Any]]:
        """Return the ledger's calls, oldest first, without the test calls of the box itself."""
        period = "--from 2020-01-01 --to 2099-12-31"
        lines = self.machine.run_checked(f"appliance ledger export {period}").splitlines()
        return [call for line in lines if not (call := json.loads(line))["synthetic"]]

    def sheet_text(self) -> str:
        """Return the text of the recovery sheet as printed, without spaces."""
        encoded = self.machine.run_checked("appliance backup sheet --lang uz_Latn | base64")
        pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(encoded))).pages
        return re.sub(r"\s", "", "".join(page.extract_text() for page in pages))

    def query_database(self, query: str) -> str:
        """Return the result of a database query, one row a line."""
        file = "/var/lib/appliance/data/appliance.db"
        python = "/opt/appliance/current/bin/python"
        return self.machine.run_checked(f'{python} -m appliance.core.sqlite {file} "{query}"')

    def end_site(self) -> None:
        """Switch the phone off and close the SSH connections."""
        self._switch_phone_off()
        for socket in self.machine.folder.glob("c-*"):
            exit_command = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", BOX_ADDRESS]
            subprocess.run(exit_command, capture_output=True)

    def _switch_phone_off(self) -> None:
        if self._phone:
            self._phone.communicate()


def keys_on_paper(text: str) -> dict[str, list[str]]:
    """Return the plain keys and the key of the secrets as a person types them.

    `text`: the sheet's text without spaces.
    """
    plain = "".join(rf"{n}([2-9a-z]{{5}})" for n in range(1, 7))
    sealed = "".join(rf"{n}([0-9A-Z]{{5}})" for n in range(1, 15)) + "15([0-9A-Z]{3})"
    return {
        name: [" ".join(groups) for groups in re.findall(pattern, text)]
        for name, pattern in (("plain", plain), ("sealed", sealed))
    }


def party_result(process: "subprocess.Popen[str]", limit: float = 300) -> Any:
    """Wait for the end of a party's action; return its result."""
    output, _ = process.communicate(timeout=limit)
    return json.loads(output.splitlines()[-1])


def recap_counts(process: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """Return the counts in the last line of a playbook: ok, changed, failed and others."""
    recap = process.stdout[process.stdout.rindex("PLAY RECAP") :]
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", recap)}
