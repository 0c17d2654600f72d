"""The real playbook on a plain Debian 13 without the internet; run by ./run test-vm."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from provisioning.box.bundle import PLAYBOOKS
from tests.rig.waiting import until
from tests.vm.machine import Machine
from tests.vm.network import BOX, PLACES
from tests.vm.site_of_test import NAME, Site, changed, result

pytestmark = pytest.mark.vm

OURS = ("asterisk", "appliance-pbx", "appliance-web", "appliance-jobs", "appliance-replicate")
OTHERS = ("nginx", "nftables", "fail2ban", "squid", "prometheus-node-exporter", "ssh")
TIMERS = ("apt-daily-upgrade", "logrotate")
KNOWN = "SELECT 1 FROM job_run WHERE name = 'self_test_{kind}'"
DUE = "UPDATE job_run SET due_at = due_at - 14 * 86400000000 WHERE name = 'self_test_{kind}'"
FOUND = "SELECT ok, failed, seen, steps FROM self_test WHERE kind = '{kind}'"
DRILL = 960  # seconds; the jobs give the longer of the two up after 900
LAST_STEPS = {"call": "marked", "offline": "names"}
EXPOSED = 3.0  # of systemd-analyze security, from 0 (closed) to 10
USERS = ("appliance-pbx", "appliance-web")
KEYS = ("/etc/appliance/keys/second.key", "/etc/appliance/audit.key", "/etc/appliance/secret_key")
CONSOLE = "asterisk -C /var/lib/appliance/asterisk/etc/asterisk.conf"
CLOSED = {  # what a process neither reads nor lists
    "appliance-web": (
        *KEYS,
        "/etc/appliance/appliance.toml",
        "/etc/appliance/ami_secret",
        "/run/asterisk/asterisk.ctl",
        "/var/lib/appliance/asterisk/etc",
        "/var/lib/appliance/asterisk/log",
        "/var/lib/appliance/backups",
        "/mnt/second/snapshots",
    ),
    "appliance-pbx": (*KEYS, "/var/lib/appliance/backups", "/etc/appliance/web.toml"),
    "asterisk": (*KEYS, "/etc/appliance/appliance.toml", "/var/lib/appliance/data"),
    "appliance-replicate": KEYS,
}
OPEN = {  # and files that it does read
    "appliance-web": ("/etc/appliance/web.toml", "/var/lib/appliance/data/appliance.db"),
    "appliance-pbx": (
        "/etc/appliance/appliance.toml",
        "/var/lib/appliance/asterisk/etc/manager.conf",
    ),
    "appliance-jobs": KEYS[:1],
}
LINKED = (
    "/var/lib/appliance/recordings",
    "/var/lib/appliance/prompts",
    "/var/lib/appliance/asterisk/spool",
    "/var/lib/appliance/asterisk/data",
    "/var/lib/appliance/asterisk/log/security",
    "/etc/appliance/keys/box.sum",
    "/etc/appliance/keys/box.tar.age",
    "/etc/appliance/keys/box.tar.age.new",
)
PLANT = f"""
set -e
mkdir /srv/trap
for link in {" ".join(LINKED)}; do
    trap=/srv/trap/$(basename $link)
    if [ -d $link ]; then mkdir $trap; else echo root >$trap; fi
    setpriv --reuid=appliance --regid=appliance --init-groups sh -c "
        if [ -e $link ]; then mv $link $link.kept; fi; ln -s $trap $link"
done
date >/etc/appliance/something-new
"""
CLEAR = f"""
for link in {" ".join(LINKED)}; do
    if [ -L $link ]; then rm $link; fi
    if [ -e $link.kept ]; then rm -rf $link; mv $link.kept $link; fi
done
rm -rf /srv/trap /etc/appliance/something-new
"""
TRAPS = (
    "find /srv/trap -printf '%p %u:%g %m %s %T@\\n' | sort; find /srv/trap -type f -exec cat {} +"
)


def test_what_is_wrong_is_named_before_anything_is_done(machine: Machine, site: Site) -> None:
    done = site.play(
        "site",
        *("-e", '{"site_carriers": [{"name": "Uz Tel", "address": "one"}]}'),
        *("-e", "site_address=10.0.0.300", "-e", '{"site_technicians": []}'),
    )
    told = " ".join(done.stdout.split())
    assert done.returncode
    assert 'site_address is \\"10.0.0.300\\"' in told or 'site_address is "10.0.0.300"' in told
    assert "A name in site_carriers" in told
    assert "nobody could reach the box by SSH" in told
    assert changed(done)["changed"] == 0


def test_every_part_of_the_bundle_is_listed_with_its_licence(drive: Path) -> None:
    parts = json.loads((drive / "sbom.json").read_text())["components"]
    assert [part["name"] for part in parts if not part.get("licenses")] == []
    names = {part["name"] for part in parts}
    debs = {file.name.partition("_")[0] for file in drive.glob("debs/*.deb")}
    assert debs - names == set()
    wheels = {file.name.partition("-")[0] for file in drive.glob("wheels/*.whl")} - {"appliance"}
    plain = {re.sub(r"[-_.]+", "_", name).lower() for name in names}
    assert {re.sub(r"[-_.]+", "_", name).lower() for name in wheels} - plain == set()


def test_a_second_run_changes_nothing(site: Site) -> None:
    done = site.play("site")
    assert done.returncode == 0, done.stdout[-4000:]
    tasks = re.split(r"^TASK ", done.stdout, flags=re.MULTILINE)
    assert [task for task in tasks if re.search("^changed:", task, re.MULTILINE)] == []
    assert changed(done)["changed"] == 0


def test_a_reboot_brings_everything_back(site: Site) -> None:
    site.machine.reboot()
    until(lambda: site.machine.run("systemctl", "is-active", *OURS, *OTHERS).returncode == 0, 120)
    assert site.machine.told("systemctl list-units --failed --plain --no-legend") == ""
    timers = site.machine.told("systemctl list-timers --all --no-legend")
    assert [timer for timer in TIMERS if f"{timer}.timer" not in timers] == []
    until(
        lambda: str(site.ask("carrier", "options", BOX, PLACES["carrier"])).startswith("SIP"), 120
    )


def test_a_copy_that_was_stopped_is_started_by_request(site: Site) -> None:
    """The jobs have no right to start units: a path unit starts this one when they write a file."""
    site.machine.told("systemctl stop appliance-replicate")
    until(
        lambda: site.machine.run("systemctl", "is-active", "appliance-replicate").returncode == 0,
        300,
        every=2,
    )
    site.machine.told("test ! -e /var/lib/appliance/backups/replicate.request")


def test_a_citizen_talks_to_an_operator(site: Site) -> None:
    site.switch_phone_on()
    before = len(site.calls())
    assert result(site.call(20)) == {"answered": True, "ended_by": "caller"}
    until(lambda: len(site.calls()) > before and site.calls()[-1]["recordings"], 120)
    call = site.calls()[-1]
    assert call["outcome"] == "answered"
    assert call["trunk"] == "carrier"
    assert call["language"] == "uz"
    assert sum(sound["seconds"] for sound in call["recordings"]) > 5


def test_only_carriers_and_the_lan_get_an_answer(site: Site) -> None:
    assert site.ask("stranger", "options", BOX, PLACES["stranger"], "3") is None
    for place in ("carrier", "lan"):
        assert str(site.ask(place, "options", BOX, PLACES[place])).startswith("SIP/2.0 ")
    ports = ("22", "80", "443", "3128", "5038", "8000", "8088", "9100")
    assert site.ask("stranger", "ports", BOX, *ports) == []
    assert site.ask("carrier", "ports", BOX, *ports) == []
    assert site.ask("lan", "ports", BOX, *ports) == [22, 80, 443, 3128]


def test_the_pages_have_a_certificate_of_the_own_authority(site: Site, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(site.machine.told("cat /etc/appliance/tls/ca.pem"))
    assert site.ask("lan", "page", BOX, NAME, str(authority), "/healthz") == 200
    assert site.ask("lan", "page", BOX, NAME, str(authority), "/built/js/htmx.min.js") == 200
    assert site.ask("lan", "page", BOX, NAME, str(authority), "/metrics") == 404


def test_nobody_holds_all_connections_of_the_pages(site: Site, tmp_path: Path) -> None:
    authority, holder = tmp_path / "ca.pem", "10.77.0.68"
    authority.write_text(site.machine.told("cat /etc/appliance/tls/ca.pem"))
    site.network.add_address("lan", holder)
    process = site.start("lan", "half", BOX, holder, "2000")
    assert process.stdout
    held = int(process.stdout.readline())
    seen = site.ask("lan", "page", BOX, NAME, str(authority), "/healthz")
    print(f"half requests from one address: {held} of 2000 let in; the pages meanwhile: {seen}")
    assert held <= 300
    assert seen == 200
    process.communicate()


def test_sip_does_not_come_by_the_pages(site: Site, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(site.machine.told("cat /etc/appliance/tls/ca.pem"))
    assert site.ask("lan", "page", BOX, NAME, str(authority), "/ws") == 404
    assert ":8088 " not in site.machine.told("ss -ltn")


def test_a_link_of_the_appliance_leads_root_nowhere(site: Site) -> None:
    """Its account is taken for an attacker's: links to files of root, then the playbook's roles."""
    roles = ("asterisk", "app", "firewall", "backup")
    site.machine.told("sh -s", text=PLANT)
    before = site.machine.told(TRAPS)
    try:
        for role in roles:
            done = site.play("site", "--tags", role)
            print(f"with planted links, {role}: {'went on' if done.returncode == 0 else 'stopped'}")
        site.machine.told("logrotate --force /etc/logrotate.d/appliance || true")
        database = (PLAYBOOKS / "files/database.sh").read_text()
        where = "/var/lib/appliance/data/appliance.db"
        site.machine.run(f"sh -s keep {where}", text=database)
        assert site.machine.told(TRAPS) == before
    finally:
        site.machine.told("sh -s", text=CLEAR)
    done = site.play("site", "--tags", ",".join(roles))
    assert done.returncode == 0, done.stdout[-4000:]


def test_operators_open_what_is_listed(site: Site) -> None:
    listed = site.start("lan", "proxy", BOX, "my.gov.uz")  # it waits for an internet, half a minute
    assert site.ask("lan", "proxy", BOX, "example.com") == 403
    site.machine.told("echo .example.com >> /etc/appliance/operator-sites.txt")
    until(lambda: site.ask("lan", "opened", BOX, "example.com"), 60)
    assert result(listed) != 403


def test_who_guesses_passwords_is_shut_out(site: Site) -> None:
    guesser, victim = "10.77.0.66", "10.77.0.67"
    for address in (guesser, victim):
        site.network.add_address("lan", address)
    forged = site.ask("stranger", "forge", BOX, victim)
    assert site.ask("lan", "options", BOX, guesser)
    assert site.ask("lan", "guess", str(site.machine.folder / "guesser"), BOX, guesser) > 3
    until(lambda: not str(site.ask("lan", "options", BOX, guesser, "1")).startswith("SIP"), 120)
    assert str(site.ask("lan", "options", BOX, PLACES["lan"])).startswith("SIP/2.0 ")
    # Whose address somebody else has used is not: those packets were read before.
    assert str(site.ask("lan", "options", BOX, victim)).startswith("SIP/2.0 ")
    banned = site.machine.told("fail2ban-client get phones banip").split()
    print(f"{forged} forged packets of {victim}; shut out: {banned}")
    assert banned == [guesser]
    # Shut out of SIP alone: the pages and SSH still answer.
    rules = site.machine.told("nft list ruleset")
    assert re.search(r"udp dport \{? ?5060.* @addr-set-phones", rules), rules
    assert "l4proto" not in rules


def test_each_process_has_a_user_of_its_own(site: Site) -> None:
    users = {}
    for unit in OURS:
        pid = _process(site, unit).partition("=")[2].strip()
        users[unit] = site.machine.told("ps", "-o", "user:30=", "-p", pid).strip()
    owner = "appliance"
    assert users == dict(zip(OURS, ("asterisk", *USERS, owner, owner), strict=True))
    for unit, paths in CLOSED.items():
        assert _opens(site, unit, paths) == [], unit
    for unit, paths in OPEN.items():
        assert _opens(site, unit, paths) == list(paths), unit
    assert not _within(site, "appliance-web", "touch /var/lib/appliance/recordings/x")
    assert not _within(site, "appliance-web", f"{CONSOLE} -rx 'core show version'")
    secret = site.machine.told("cat /etc/appliance/ami_secret").strip()
    assert secret in site.machine.told("cat /etc/appliance/appliance.toml")
    assert secret not in site.machine.told("cat /etc/appliance/web.toml")


def test_a_plan_of_the_pages_is_put_in_force(site: Site) -> None:
    """The pages' process may not; the pbx process does it for them."""
    plan = (
        "from appliance.core import settings, db; from appliance.pbx import actions; "
        "from appliance.telephony import routing; import dataclasses; "
        "s = settings.load('/etc/appliance/web.toml').for_pages(); "
        "db.open_database(s.paths.database).connect(); p = routing.current(s); "
        "w = dataclasses.replace(p, limits=dataclasses.replace(p.limits, calls=17)); "
        "print(actions.put_plan(s, w, 'texnik').id)"
    )
    assert _within(site, "appliance-web", f'/opt/appliance/current/bin/python -c "{plan}"')
    assert "17" in site.machine.told("grep -r 17 /var/lib/appliance/asterisk/etc --include=*.conf")
    # Both have tried it on a second Asterisk, whose end is not theirs.
    for unit in ("appliance-web", "appliance-pbx"):
        state = site.machine.told("systemctl", "show", "--value", "--property=SubState", unit)
        assert state == "running\n"


def test_the_router_is_asked(site: Site) -> None:
    """By the account of the jobs, without rights of its own."""
    seen = "SELECT up FROM link_stretch WHERE link = 'gateway' AND until IS NULL"
    until(lambda: site.asked(seen).split() == ["(1,)"], 60)


@pytest.mark.parametrize("kind", ["call", "offline"])
def test_the_box_tries_itself(site: Site, kind: str) -> None:
    """In the cell of the jobs, as it does by itself when it is due."""
    until(lambda: site.asked(KNOWN.format(kind=kind)), 60)
    site.asked(DUE.format(kind=kind))
    found = until(lambda: site.asked(FOUND.format(kind=kind)), DRILL, every=1)
    assert found.startswith("(1, '', '',"), found
    assert LAST_STEPS[kind] in found


@pytest.mark.parametrize("unit", OURS)
def test_a_unit_is_locked_up(site: Site, unit: str) -> None:
    told = site.machine.run("systemd-analyze", "security", "--no-pager", f"{unit}.service").stdout
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", told)
    assert score
    print(unit, score[1])
    assert float(score[1]) <= EXPOSED


def test_doctor_says_that_ssh_takes_passwords(site: Site) -> None:
    """No technician has given a key here."""
    checks = json.loads(site.machine.run("appliance", "doctor", "--json").stdout)
    assert [check["state"] for check in checks if check["check"] == "ssh"] == ["warn"]


def test_the_clock_of_the_host_is_out_of_reach(site: Site) -> None:
    bounding = site.machine.told("grep CapBnd /proc/1/status").split()[1]
    assert not int(bounding, 16) >> 25 & 1  # CAP_SYS_TIME


def _process(site: Site, unit: str) -> str:
    return site.machine.told("systemctl", "show", "--property=MainPID", unit)


def _opens(site: Site, unit: str, paths: tuple[str, ...]) -> list[str]:
    """Which files that unit's process reads, and which folders it lists."""
    script = "".join(f"{{ cat {p} || ls {p}/.; }} >/dev/null 2>&1 && echo {p}\n" for p in paths)
    return _as(site, unit, script).stdout.split()


def _within(site: Site, unit: str, command: str) -> bool:
    """Whether a command succeeds as that unit's process."""
    return _as(site, unit, command).returncode == 0


def _as(site: Site, unit: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run it as that unit's process: its user, its view of the files."""
    pid = _process(site, unit).partition("=")[2].strip()
    groups = site.machine.told(f"grep ^Groups: /proc/{pid}/status").split()[1:]
    user = site.machine.told("ps", "-o", "user:30=", "-p", pid).strip()
    become = f"setpriv --reuid={user} --regid=appliance --groups={','.join(groups)}"
    return site.machine.run(f"nsenter --target {pid} --mount {become} sh -s", text=script)
