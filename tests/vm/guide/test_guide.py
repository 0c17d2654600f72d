"""The technician's guide, followed on a plain Debian 13; run by ./run test-guide."""

import json
import os
import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.rig.waiting import wait_until
from tests.vm.machine import CannotBoot, Machine
from tests.vm.network import ADDRESS_OF_PLACE, BOX_ADDRESS, LAN_NETWORK, Network
from tests.vm.site_of_test import (
    SITE_NAME,
    SOURCE_ROOT,
    Site,
    keys_on_paper,
    party_result,
    recap_counts,
)

pytestmark = pytest.mark.vm

GUIDES = [SOURCE_ROOT / "docs" / f"technician.{language}.md" for language in ("ru", "uz")]
RESTORE_GUIDES = [SOURCE_ROOT / "docs" / f"restore.{language}.md" for language in ("ru", "uz")]
# The container has its disks already, but no devices for them.
DISK_COMMANDS = re.compile(r"^(lsblk|mount|mkfs|mkdir|echo 'LABEL=|systemctl daemon-reload)")
SETUP_ANSWERS = [
    *("", "10.77.0.99", "", SITE_NAME, "1006"),  # the folder; another host's address, then its own
    *("carrier", ADDRESS_OF_PLACE["carrier"], "", ""),
    *("0.0.0.0/0", LAN_NETWORK, "-"),
    *("10.9.9.0/24", LAN_NETWORK),  # the technicians: SSH would be blocked for this terminal
    *("/mnt/second", "Texnik: +998 90 123 45 67", "0", "-", "-", "y"),
]
REFUSAL_TEXTS = ("адрес другой машины", "полинтернета", "SSH для вас закрылся бы")


def installation_commands(guide: Path) -> list[str]:
    """Return the commands of the section on the installation, without comments."""
    part = re.split(r"^## ", guide.read_text("utf-8"), flags=re.MULTILINE)[2]
    return command_lines(part[: part.index("\n### ")])


def command_lines(text: str) -> list[str]:
    """Return the commands of a guide, without comments."""
    lines = re.findall(r"^ {4}(\S.*)$", text, re.MULTILINE)
    return [line.partition("  #")[0].strip() for line in lines]


@pytest.fixture(scope="module")
def terminal(drive: Path) -> Iterator[Site]:
    """A plain Debian 13 with the stick of the guide; its technician is on the LAN."""
    network = Network("guide")
    network.create_namespaces()
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
        site.end_site()
    finally:
        machine.end()
        network.remove_namespaces()


def self_checks(site: Site) -> dict[str, tuple[str, str]]:
    """Return name of a self-check → (state, text)."""
    process = site.machine.run("appliance doctor --json")
    return {check["check"]: (check["state"], check["seen"]) for check in json.loads(process.stdout)}


def test_the_guides_have_the_same_commands() -> None:
    russian, uzbek = map(installation_commands, GUIDES)
    assert russian == uzbek
    assert len(russian) > 8


def test_following_the_guide_leads_to_a_working_call(terminal: Site) -> None:
    machine = terminal.machine
    lines = [line for line in installation_commands(GUIDES[0]) if not DISK_COMMANDS.match(line)]
    install, setup, folder, play, copy = lines
    machine.run_checked(install)
    screen = machine.run_on_terminal(f"{setup} --lang ru", SETUP_ANSWERS)
    for refusal in REFUSAL_TEXTS:
        assert refusal in screen
    machine.run_checked("echo 'app_plain_phones=[\"*\"]' >>/root/site.ini")
    machine.run_checked("echo 'app_links_gateway=' >>/root/site.ini")
    machine.run_checked(f"{setup} --lang ru --check")
    output = machine.run_on_terminal(f"{folder} && {play}", [])
    assert "failed=0" in output
    last_task = output[output.rindex("TASK [Say what happened]") :]
    assert re.search(r"ok +[0-9.]+ s +marked", last_task)
    assert "ни у одного оператора нет внутреннего номера" in last_task
    machine.run_checked(copy)
    assert "ошибок нет" in machine.run_checked("appliance setup --lang ru --check")

    checks = self_checks(terminal)
    failures = {code: words for code, (state, words) in checks.items() if state == "fail"}
    assert failures == {}
    assert checks["phones.reach"][0] == "warn"
    terminal.add_ready_operator()
    wait_until(lambda: self_checks(terminal)["phones.reach"] == ("ok", "phones registered: 1"), 60)
    before = len(terminal.ledger_calls())
    assert party_result(terminal.start_call(15)) == {"answered": True, "ended_by": "caller"}
    wait_until(lambda: len(terminal.ledger_calls()) > before, 120)
    assert terminal.ledger_calls()[-1]["outcome"] == "answered"


def test_ssh_stays_open_for_the_user_who_runs_the_playbook(terminal: Site) -> None:
    """The values are on the technician's computer here and are sent over SSH."""
    machine = terminal.machine
    rules = machine.run_checked("nft list table inet appliance")
    process = terminal.run_playbook("site", "-e", '{"site_technicians": ["10.9.9.0/24"]}')
    assert process.returncode
    assert recap_counts(process)["changed"] == 0
    text = " ".join(process.stdout.split())
    assert (
        f"site_technicians leaves out {ADDRESS_OF_PLACE['lan']}, from where you are connected"
        in text
    )
    assert machine.run_checked("nft list table inet appliance") == rules
    output = machine.run(
        "cd /opt/appliance/bundle/ansible && "
        "ansible-playbook -i /root/site.ini site.yml -e site_address=10.77.0.99 --tags none"
    )
    assert output.returncode
    assert BOX_ADDRESS in output.stdout
    assert "адрес другой машины" in " ".join(output.stdout.split())


def test_changes_are_printed_before_they_are_made(terminal: Site) -> None:
    machine = terminal.machine
    play = "cd /opt/appliance/bundle/ansible && ansible-playbook -i /root/site.ini site.yml"
    extra = '{"site_ministry": ["203.0.113.0/24"]}'
    output = machine.run_checked(f"{play} --tags none -e '{extra}'")
    assert 'site_ministry: [] → ["203.0.113.0/24"]' in output
    second = machine.run_checked(f"{play} --tags none")
    assert "Say what will change" not in second


# Commands in the guides for a running box, except those at their beginning.
COMMANDS_ON_RUNNING_BOX = (
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


def test_each_command_of_the_guides_works_as_printed(terminal: Site) -> None:
    texts = [guide.read_text("utf-8") for guide in (*GUIDES, *RESTORE_GUIDES)]
    terminal.machine.run_checked("appliance backup create")
    for command in COMMANDS_ON_RUNNING_BOX:
        option = command[command.find("--t") :] if " --t" in command else command
        assert any(option in text for text in texts), command
        terminal.machine.run_checked(f"bash -c {shlex.quote(command)}")
    assert terminal.machine.run_checked("head -c 5 /media/usb/sheet.pdf") == "%PDF-"
    wait_until(lambda: self_checks(terminal)["phones.reach"][0] == "ok", 120)
    assert terminal.machine.run_checked("ls /srv/copy/site /var/lib/appliance/look")


def test_the_sheet_alone_is_enough_to_restore_the_box(terminal: Site) -> None:
    """On a bare machine: without site.ini, by the guide, and first with a mistyped key."""
    machine = terminal.machine
    machine.run_checked("appliance backup create")
    paper, calls = terminal.sheet_text(), terminal.ledger_calls()
    release = machine.run_checked("readlink /opt/appliance/current").strip().rpartition("/")[2]
    for expected in (
        release,
        BOX_ADDRESS,
        SITE_NAME,
        f"carrier{ADDRESS_OF_PLACE['carrier']}:5060",
        LAN_NETWORK,
        "+998901234567",
    ):
        assert expected in paper, expected
    keys = keys_on_paper(paper)
    [[repository], [recovery]] = keys["plain"], keys["sealed"]
    groups = repository.split()
    mistyped = " ".join([groups[0], groups[1][::-1], *groups[2:]])

    machine.replace()
    first_guide, second_guide = (
        [line for line in command_lines(guide.read_text("utf-8")) if not DISK_COMMANDS.match(line)]
        for guide in RESTORE_GUIDES
    )
    assert first_guide == second_guide
    look, install, copy, folder, play = first_guide
    assert copy == "cp /media/usb/site.ini /root/site.ini"  # it is lost: the questions replace it
    machine.run_checked(look)
    machine.run_checked(install)
    answers = [
        line for line in SETUP_ANSWERS if line not in ("10.77.0.99", "0.0.0.0/0", "10.9.9.0/24")
    ]
    machine.run_on_terminal("sh /media/usb/bundle/setup --lang uz", answers)
    refusal_run = machine.run(
        f"{folder} && {play} -e '{json.dumps({'restore_repository_key': mistyped})}'"
        f" -e '{json.dumps({'restore_recovery_key': recovery})}'"
    )
    assert refusal_run.returncode
    assert "ombor kaliti: 2-guruh varaqdagidek emas." in " ".join(refusal_run.stdout.split())
    assert "changed=0" in refusal_run.stdout
    assert machine.run("test -e /opt/appliance/current").returncode
    output = machine.run_on_terminal(f"{folder} && {play}", [repository, recovery])
    assert "failed=0" in output
    assert terminal.ledger_calls() == calls
    assert re.search(r"ok +[0-9.]+ s +marked", output[output.rindex("TASK [Say what happened]") :])
