"""The technician's guide, followed on a plain Debian 13; run by ./run test-guide."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.waiting import until
from tests.vm.machine import CannotBoot, Machine
from tests.vm.network import BOX, LAN, PLACES, Network
from tests.vm.site_of_test import NAME, TOP, Site, changed, keys_on_paper, result

pytestmark = pytest.mark.vm

GUIDES = [TOP / "docs" / f"technician.{language}.md" for language in ("ru", "uz")]
RESTORE = [TOP / "docs" / f"restore.{language}.md" for language in ("ru", "uz")]
# The container has its disks already, and no device of them.
DEVICES = re.compile(r"^(lsblk|mount|mkfs|mkdir|echo 'LABEL=|systemctl daemon-reload)")
ANSWERS = [
    *("", "10.77.0.99", "", NAME, "1006"),  # the folder; another host's address, then its own
    *("carrier", PLACES["carrier"], "", ""),
    *("0.0.0.0/0", LAN, "-"),
    *("10.9.9.0/24", LAN),  # the technicians: SSH would be shut to this terminal
    *("/mnt/second", "Texnik: +998 90 123 45 67", "0", "-", "-", "y"),
]
REFUSALS = ("адрес другой машины", "полинтернета", "SSH для вас закрылся бы")


def commands(guide: Path) -> list[str]:
    """What the part on the installation has a technician type, without comments."""
    part = re.split(r"^## ", guide.read_text("utf-8"), flags=re.MULTILINE)[2]
    return command_lines(part[: part.index("\n### ")])


def command_lines(text: str) -> list[str]:
    """The commands of a guide, without comments."""
    lines = re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in lines]


@pytest.fixture(scope="module")
def terminal(drive: Path) -> Iterator[Site]:
    """A plain Debian 13 with the stick of the guide; its technician on the LAN."""
    network = Network("guide")
    network.make()
    machine = Machine(network, "guide")
    try:
        machine.prepare()
        shutil.copytree(drive, machine.media / "usb" / "bundle", copy_function=os.link)
        try:
            machine.boot()
        except CannotBoot as error:
            pytest.skip(f"this computer boots no container: {error}")
        site = Site(machine, network)
        yield site
        site.end()
    finally:
        machine.end()
        network.remove()


def doctor(site: Site) -> dict[str, tuple[str, str]]:
    """Check → state and words."""
    process = site.machine.run("appliance doctor --json")
    return {check["check"]: (check["state"], check["seen"]) for check in json.loads(process.stdout)}


def test_the_guides_have_the_same_commands() -> None:
    russian, uzbek = map(commands, GUIDES)
    assert russian == uzbek
    assert len(russian) > 8


def test_the_guide_leads_to_a_call_that_rings(terminal: Site) -> None:
    machine = terminal.machine
    typed = [line for line in commands(GUIDES[0]) if not DEVICES.match(line)]
    install, setup, folder, play, copy = typed
    machine.told(install)
    screen = machine.typed(f"{setup} --lang ru", ANSWERS)
    for refusal in REFUSALS:
        assert refusal in screen
    machine.told("echo 'app_plain_phones=[\"*\"]' >>/root/site.ini")
    machine.told("echo 'app_links_gateway=' >>/root/site.ini")
    machine.told(f"{setup} --lang ru --check")
    output = machine.typed(f"{folder} && {play}", [])
    assert "failed=0" in output
    last = output[output.rindex("TASK [Say what happened]") :]
    assert re.search(r"ok +[0-9.]+ s +marked", last)
    assert "ни у одного оператора нет внутреннего номера" in last
    machine.told(copy)
    assert "ошибок нет" in machine.told("appliance setup --lang ru --check")

    checks = doctor(terminal)
    failures = {code: words for code, (state, words) in checks.items() if state == "fail"}
    assert failures == {}
    assert checks["phones.reach"][0] == "warn"
    terminal.staff()
    until(lambda: doctor(terminal)["phones.reach"] == ("ok", "phones registered: 1"), 60)
    before = len(terminal.calls())
    assert result(terminal.call(15)) == {"answered": True, "ended_by": "caller"}
    until(lambda: len(terminal.calls()) > before, 120)
    assert terminal.calls()[-1]["outcome"] == "answered"


def test_ssh_is_not_shut_to_whoever_runs_the_playbook(terminal: Site) -> None:
    """The values lie on the technician's computer here, and are brought over SSH."""
    machine = terminal.machine
    rules = machine.told("nft list table inet appliance")
    process = terminal.play("site", "-e", '{"site_technicians": ["10.9.9.0/24"]}')
    assert process.returncode
    assert changed(process)["changed"] == 0
    text = " ".join(process.stdout.split())
    assert f"site_technicians leaves out {PLACES['lan']}, from where you are connected" in text
    assert machine.told("nft list table inet appliance") == rules
    output = machine.run(
        "cd /opt/appliance/bundle/ansible && "
        "ansible-playbook -i /root/site.ini site.yml -e site_address=10.77.0.99 --tags none"
    )
    assert output.returncode
    assert BOX in output.stdout
    assert "адрес другой машины" in " ".join(output.stdout.split())


def test_what_will_change_is_printed_before_it_does(terminal: Site) -> None:
    machine = terminal.machine
    play = "cd /opt/appliance/bundle/ansible && ansible-playbook -i /root/site.ini site.yml"
    extra = '{"site_ministry": ["203.0.113.0/24"]}'
    output = machine.told(f"{play} --tags none -e '{extra}'")
    assert 'site_ministry: [] → ["203.0.113.0/24"]' in output
    second = machine.told(f"{play} --tags none")
    assert "Say what will change" not in second


# What the guides have one type on a box that runs, but for their first commands.
RUNNING = (
    "appliance backup sheet --lang ru >/media/usb/sheet.pdf",
    "appliance user second-factor texnik",
    "appliance backup list",
    "install -d -o appliance -g appliance -m 0700 /srv/copy",
    "appliance backup restore --target /srv/copy/site",
    "appliance backup restore --target /var/lib/appliance/look",
    "systemctl stop 'appliance-*'",
    "appliance backup restore --at now --database-only",
    "systemctl start appliance-{pbx,web,jobs,replicate}",
)


def test_each_command_of_the_guides_works_as_it_stands(terminal: Site) -> None:
    texts = [guide.read_text("utf-8") for guide in (*GUIDES, *RESTORE)]
    terminal.machine.told("appliance backup create")
    for command in RUNNING:
        option = command[command.find("--t") :] if " --t" in command else command
        assert any(option in text for text in texts), command
        terminal.machine.told(f"bash -c {shlex.quote(command)}")
    assert terminal.machine.told("head -c 5 /media/usb/sheet.pdf") == "%PDF-"
    until(lambda: doctor(terminal)["phones.reach"][0] == "ok", 120)
    assert terminal.machine.told("ls /srv/copy/site /var/lib/appliance/look")


def test_the_sheet_alone_brings_the_box_back(terminal: Site) -> None:
    """At night, on a bare machine: without site.ini, by the guide, with a key mistyped first."""
    machine = terminal.machine
    machine.told("appliance backup create")
    paper, calls = terminal.sheet(), terminal.calls()
    release = machine.told("readlink /opt/appliance/current").strip().rpartition("/")[2]
    for expected in (release, BOX, NAME, f"carrier{PLACES['carrier']}:5060", LAN, "+998901234567"):
        assert expected in paper, expected
    keys = keys_on_paper(paper)
    [[repository], [recovery]] = keys["plain"], keys["sealed"]
    groups = repository.split()
    mistyped = " ".join([groups[0], groups[1][::-1], *groups[2:]])

    machine.replace()
    typed, same = (
        [line for line in command_lines(guide.read_text("utf-8")) if not DEVICES.match(line)]
        for guide in RESTORE
    )
    assert typed == same
    look, install, copy, folder, play = typed
    assert copy == "cp /media/usb/site.ini /root/site.ini"  # it is lost: questions instead
    machine.told(look)
    machine.told(install)
    answers = [line for line in ANSWERS if line not in ("10.77.0.99", "0.0.0.0/0", "10.9.9.0/24")]
    machine.typed("sh /media/usb/bundle/setup --lang uz", answers)
    refusal_run = machine.run(
        f"{folder} && {play} -e '{json.dumps({'restore_repository_key': mistyped})}'"
        f" -e '{json.dumps({'restore_recovery_key': recovery})}'"
    )
    assert refusal_run.returncode
    assert "ombor kaliti: 2-guruh varaqdagidek emas." in " ".join(refusal_run.stdout.split())
    assert "changed=0" in refusal_run.stdout
    assert machine.run("test -e /opt/appliance/current").returncode
    output = machine.typed(f"{folder} && {play}", [repository, recovery])
    assert "failed=0" in output
    assert terminal.calls() == calls
    assert re.search(r"ok +[0-9.]+ s +marked", output[output.rindex("TASK [Say what happened]") :])
