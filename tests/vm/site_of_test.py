"""The site on the box under test: its playbooks, its people, how it is seen from outside."""

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

from provisioning.box.bundle import PLAYBOOKS
from tests.vm.machine import Machine
from tests.vm.network import BOX, LAN, PLACES, Network

HERE = Path(__file__).parent
TOP = HERE.parents[1]
NAME = "hotline.test"
INVENTORY = f"""
[hotline]
box ansible_host={BOX} ansible_user=root

[hotline:vars]
bundle_dir=/media/bundle
site_address={BOX}
site_name={NAME}
site_hotline_number=1006
site_carriers=[{{"name": "carrier", "address": "{PLACES["carrier"]}"}}]
site_operators=["{LAN}"]
site_technicians=["{LAN}"]
operator_proxy_sites=[".gov.uz"]
app_links_gateway={PLACES["lan"]}
app_tests_call_minutes=1440
app_tests_carrier_minutes=0
app_plain_phones=["*"]
backup_places=[{{"name": "second", "url": "/mnt/second/snapshots"}}]
backup_replica=/mnt/second/replica
"""


class Site:
    """One box, and the places around it."""

    def __init__(self, machine: Machine, network: Network, more: str = "") -> None:
        """`more`: further lines of its inventory."""
        self.machine = machine
        self.network = network
        self.times: dict[str, float] = {}
        self._phone: subprocess.Popen[str] | None = None
        self._password = ""
        self._inventory = machine.folder / "site.ini"
        self._inventory.write_text(INVENTORY + more, "utf-8")

    def play(self, book: str, *options: str) -> subprocess.CompletedProcess[str]:
        """Run a playbook from the technician's computer on the LAN, over SSH."""
        command = [Path(sys.executable).with_name("ansible-playbook"), "-i", self._inventory]
        control = ("-o", "ControlMaster=auto", "-o", "ControlPersist=60s")
        environment = {
            **os.environ,
            "ANSIBLE_CONFIG": str(PLAYBOOKS / "ansible.cfg"),
            "ANSIBLE_HOME": str(self.machine.folder / "ansible"),
            "ANSIBLE_SSH_ARGS": " ".join([*control, *self.machine.ssh_options()]),
            "ANSIBLE_SSH_CONTROL_PATH": str(self.machine.folder / "c-%%h"),
            "ANSIBLE_HOST_KEY_CHECKING": "False",
            "ANSIBLE_NOCOLOR": "1",
            "LC_ALL": "C.UTF-8",
        }
        began = time.monotonic()
        done = subprocess.run(
            self.network.inside("lan", [*command, PLAYBOOKS / f"{book}.yml", *options]),
            env=environment,
            cwd=PLAYBOOKS,
            capture_output=True,
            text=True,
            timeout=3600,
        )
        self.times[f"{book} {len(self.times)}"] = time.monotonic() - began
        return done

    def inventory_on_the_box(self) -> None:
        """The same values for playbooks that run on the box itself."""
        here, text = "localhost ansible_connection=local", self._inventory.read_text("utf-8")
        text = re.sub(r"^box .*$", here, text, flags=re.MULTILINE)
        self.machine.told("cat >/root/site.ini", text=text)

    def provision(self) -> None:
        """The documented command, once."""
        done = self.play("site")
        assert done.returncode == 0, done.stdout[-6000:] + done.stderr

    def staff(self) -> None:
        """An operator, ready, with a phone on the LAN that answers."""
        self.machine.told(
            "echo secret-12345 | appliance user add dilnoza --name 'Dilnoza Karimova' "
            "--role operator --extension 1001 --sip-password phone-12345 --speaks uz,ru "
            "--password-stdin"
        )
        self.machine.told("appliance render")
        self.switch_phone_on()

    def switch_phone_on(self) -> None:
        """Register the operator's phone (anew), and have calls go to it."""
        self._switch_phone_off()
        folder = self.machine.folder / "phone"
        arguments = ("phones", folder, BOX, PLACES["lan"], "1001", "phone-12345")
        self._phone = self.start("lan", *map(str, arguments))
        assert self._phone.stdout
        assert self._phone.stdout.readline() == '"registered"\n'
        self.machine.told("appliance operator ready dilnoza")

    def start(self, place: str, *words: str) -> subprocess.Popen[str]:
        """Have somebody at that place do something (see party.py)."""
        command = ["setpriv", "--pdeathsig", "TERM", sys.executable, HERE / "party.py", *words]
        return subprocess.Popen(
            self.network.inside(place, command),
            cwd=TOP,
            env={**os.environ, "PYTHONPATH": str(TOP)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def ask(self, place: str, *words: str) -> Any:
        """Have somebody at that place do something, and wait for what came of it."""
        return result(self.start(place, *words))

    def call(self, stays: int) -> subprocess.Popen[str]:
        """A citizen calls over the carrier's trunk and hangs up after so many seconds."""
        folder = self.machine.folder / f"call-{time.monotonic_ns()}"
        return self.start("carrier", "call", str(folder), BOX, PLACES["carrier"], str(stays))

    def calls(self) -> list[dict[str, Any]]:
        """The ledger, oldest first; not the calls that the box places to try itself."""
        today = "--from 2020-01-01 --to 2099-12-31"
        lines = self.machine.told(f"appliance ledger export {today}").splitlines()
        return [call for line in lines if not (call := json.loads(line))["synthetic"]]

    def sheet(self) -> str:
        """What stands on the recovery sheet as it is printed, without spaces."""
        told = self.machine.told("appliance backup sheet --lang uz_Latn | base64")
        pages = pypdf.PdfReader(io.BytesIO(base64.b64decode(told))).pages
        return re.sub(r"\s", "", "".join(page.extract_text() for page in pages))

    def asked(self, question: str) -> str:
        """What the database answers, a row a line."""
        file = "/var/lib/appliance/data/appliance.db"
        python = "/opt/appliance/current/bin/python"
        return self.machine.told(f'{python} -m appliance.core.sqlite {file} "{question}"')

    def end(self) -> None:
        """Switch everything off."""
        self._switch_phone_off()
        for socket in self.machine.folder.glob("c-*"):
            leave = ["ssh", "-o", f"ControlPath={socket}", "-O", "exit", BOX]
            subprocess.run(leave, capture_output=True)

    def _switch_phone_off(self) -> None:
        if self._phone:
            self._phone.communicate()


def keys_on_paper(text: str) -> dict[str, list[str]]:
    """Plain keys and the key of the secrets as a person types them; `text`: without spaces."""
    plain = "".join(rf"{n}([2-9a-z]{{5}})" for n in range(1, 7))
    sealed = "".join(rf"{n}([0-9A-Z]{{5}})" for n in range(1, 15)) + "15([0-9A-Z]{3})"
    return {
        name: [" ".join(groups) for groups in re.findall(pattern, text)]
        for name, pattern in (("plain", plain), ("sealed", sealed))
    }


def result(process: "subprocess.Popen[str]", limit: float = 300) -> Any:
    """What somebody found out."""
    told, _ = process.communicate(timeout=limit)
    return json.loads(told.splitlines()[-1])


def changed(done: subprocess.CompletedProcess[str]) -> dict[str, int]:
    """The last line of a playbook: ok, changed, failed …"""
    recap = done.stdout[done.stdout.rindex("PLAY RECAP") :]
    return {name: int(count) for name, count in re.findall(r"(\w+)=(\d+)", recap)}
