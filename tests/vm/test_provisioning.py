"""The real playbook on a plain Debian 13 without the internet; run by ./run test-vm."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from provisioning.box.bundle import PLAYBOOK_FOLDER
from tests.rig.waiting import wait_until
from tests.vm.machine import Machine
from tests.vm.network import ADDRESS_OF_PLACE, BOX_ADDRESS
from tests.vm.site_of_test import SITE_NAME, Site, party_result, recap_counts

pytestmark = pytest.mark.vm

APPLIANCE_UNITS = (
    "asterisk",
    "appliance-pbx",
    "appliance-web",
    "appliance-jobs",
    "appliance-replicate",
)
OTHER_UNITS = ("nginx", "nftables", "fail2ban", "squid", "prometheus-node-exporter", "ssh")
TIMERS = ("apt-daily-upgrade", "logrotate")
RUN_EXISTS_SQL = "SELECT 1 FROM job_run WHERE name = 'self_test_{kind}'"
MAKE_DUE_SQL = (
    "UPDATE job_run SET due_at = due_at - 14 * 86400000000 WHERE name = 'self_test_{kind}'"
)
SELF_TEST_SQL = "SELECT ok, failed, seen, steps FROM self_test WHERE kind = '{kind}'"
SELF_TEST_SECONDS = 960  # the jobs abandon the longer of the two after 900
LAST_STEPS = {"call": "marked", "offline": "names"}
MAX_EXPOSURE = 3.0  # by systemd-analyze security, from 0 (closed) to 10
SEPARATE_USERS = ("appliance-pbx", "appliance-web")
KEY_FILES = (
    "/etc/appliance/keys/second.key",
    "/etc/appliance/audit.key",
    "/etc/appliance/secret_key",
)
ASTERISK_CONSOLE = "asterisk -C /var/lib/appliance/asterisk/etc/asterisk.conf"
CLOSED_PATHS = {  # paths that a process can neither read nor list
    "appliance-web": (
        *KEY_FILES,
        "/etc/appliance/appliance.toml",
        "/etc/appliance/ami_secret",
        "/run/asterisk/asterisk.ctl",
        "/var/lib/appliance/asterisk/etc",
        "/var/lib/appliance/asterisk/log",
        "/var/lib/appliance/backups",
        "/mnt/second/snapshots",
    ),
    "appliance-pbx": (*KEY_FILES, "/var/lib/appliance/backups", "/etc/appliance/web.toml"),
    "asterisk": (*KEY_FILES, "/etc/appliance/appliance.toml", "/var/lib/appliance/data"),
    "appliance-replicate": KEY_FILES,
}
READABLE_PATHS = {  # and files that it can read
    "appliance-web": ("/etc/appliance/web.toml", "/var/lib/appliance/data/appliance.db"),
    "appliance-pbx": (
        "/etc/appliance/appliance.toml",
        "/var/lib/appliance/asterisk/etc/manager.conf",
    ),
    "appliance-jobs": KEY_FILES[:1],
}
LINKED_PATHS = (
    "/var/lib/appliance/recordings",
    "/var/lib/appliance/prompts",
    "/var/lib/appliance/asterisk/spool",
    "/var/lib/appliance/asterisk/data",
    "/var/lib/appliance/asterisk/log/security",
    "/etc/appliance/keys/box.sum",
    "/etc/appliance/keys/box.tar.age",
    "/etc/appliance/keys/box.tar.age.new",
)
PLANT_LINKS_SCRIPT = f"""
set -e
mkdir /srv/trap
for link in {" ".join(LINKED_PATHS)}; do
    trap=/srv/trap/$(basename $link)
    if [ -d $link ]; then mkdir $trap; else echo root >$trap; fi
    setpriv --reuid=appliance --regid=appliance --init-groups sh -c "
        if [ -e $link ]; then mv $link $link.kept; fi; ln -s $trap $link"
done
date >/etc/appliance/something-new
"""
REMOVE_LINKS_SCRIPT = f"""
for link in {" ".join(LINKED_PATHS)}; do
    if [ -L $link ]; then rm $link; fi
    if [ -e $link.kept ]; then rm -rf $link; mv $link.kept $link; fi
done
rm -rf /srv/trap /etc/appliance/something-new
"""
LIST_TRAPS_COMMAND = (
    "find /srv/trap -printf '%p %u:%g %m %s %T@\\n' | sort; find /srv/trap -type f -exec cat {} +"
)


def test_wrong_values_are_named_before_any_change(machine: Machine, site: Site) -> None:
    process = site.run_playbook(
        "site",
        *("-e", '{"site_carriers": [{"name": "Uz Tel", "address": "one"}]}'),
        *("-e", "site_address=10.0.0.300", "-e", '{"site_technicians": []}'),
    )
    output = " ".join(process.stdout.split())
    assert process.returncode
    assert 'site_address is \\"10.0.0.300\\"' in output or 'site_address is "10.0.0.300"' in output
    assert "A name in site_carriers" in output
    assert "nobody could reach the box by SSH" in output
    assert recap_counts(process)["changed"] == 0


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
    process = site.run_playbook("site")
    assert process.returncode == 0, process.stdout[-4000:]
    tasks = re.split(r"^TASK ", process.stdout, flags=re.MULTILINE)
    assert [task for task in tasks if re.search("^changed:", task, re.MULTILINE)] == []
    assert recap_counts(process)["changed"] == 0


def test_all_services_run_after_a_reboot(site: Site) -> None:
    site.machine.reboot()
    wait_until(
        lambda: (
            site.machine.run("systemctl", "is-active", *APPLIANCE_UNITS, *OTHER_UNITS).returncode
            == 0
        ),
        120,
    )
    assert site.machine.run_checked("systemctl list-units --failed --plain --no-legend") == ""
    timers = site.machine.run_checked("systemctl list-timers --all --no-legend")
    assert [timer for timer in TIMERS if f"{timer}.timer" not in timers] == []
    wait_until(
        lambda: str(
            site.run_party("carrier", "options", BOX_ADDRESS, ADDRESS_OF_PLACE["carrier"])
        ).startswith("SIP"),
        120,
    )


def test_a_stopped_replication_is_started_by_a_request_file(site: Site) -> None:
    """The jobs have no right to start units: a path unit starts this one when they write a file."""
    site.machine.run_checked("systemctl stop appliance-replicate")
    wait_until(
        lambda: site.machine.run("systemctl", "is-active", "appliance-replicate").returncode == 0,
        300,
        every=2,
    )
    request_is_gone = "test ! -e /var/lib/appliance/backups/replicate.request"
    wait_until(lambda: site.machine.run(request_is_gone).returncode == 0, 60)


def test_a_citizen_talks_to_an_operator(site: Site) -> None:
    site.switch_phone_on()
    before = len(site.ledger_calls())
    assert party_result(site.start_call(20)) == {"answered": True, "ended_by": "caller"}
    wait_until(
        lambda: len(site.ledger_calls()) > before and site.ledger_calls()[-1]["recordings"], 120
    )
    call = site.ledger_calls()[-1]
    assert call["outcome"] == "answered"
    assert call["trunk"] == "carrier"
    assert call["language"] == "uz"
    assert sum(sound["seconds"] for sound in call["recordings"]) > 5


def test_only_carriers_and_the_lan_receive_an_answer(site: Site) -> None:
    assert (
        site.run_party("stranger", "options", BOX_ADDRESS, ADDRESS_OF_PLACE["stranger"], "3")
        is None
    )
    for place in ("carrier", "lan"):
        assert str(
            site.run_party(place, "options", BOX_ADDRESS, ADDRESS_OF_PLACE[place])
        ).startswith("SIP/2.0 ")
    ports = ("22", "80", "443", "3128", "5038", "8000", "8088", "9100")
    assert site.run_party("stranger", "ports", BOX_ADDRESS, *ports) == []
    assert site.run_party("carrier", "ports", BOX_ADDRESS, *ports) == []
    assert site.run_party("lan", "ports", BOX_ADDRESS, *ports) == [22, 80, 443, 3128]


def test_the_pages_have_a_certificate_of_the_boxs_own_authority(site: Site, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(site.machine.run_checked("cat /etc/appliance/tls/ca.pem"))
    assert site.run_party("lan", "page", BOX_ADDRESS, SITE_NAME, str(authority), "/healthz") == 200
    assert (
        site.run_party(
            "lan", "page", BOX_ADDRESS, SITE_NAME, str(authority), "/built/js/htmx.min.js"
        )
        == 200
    )
    assert site.run_party("lan", "page", BOX_ADDRESS, SITE_NAME, str(authority), "/metrics") == 404


def test_one_address_cannot_occupy_all_connections_of_the_pages(site: Site, tmp_path: Path) -> None:
    authority, attacker = tmp_path / "ca.pem", "10.77.0.68"
    authority.write_text(site.machine.run_checked("cat /etc/appliance/tls/ca.pem"))
    site.network.add_address("lan", attacker)
    process = site.start_party("lan", "half", BOX_ADDRESS, attacker, "2000")
    assert process.stdout
    accepted_count = int(process.stdout.readline())
    page_status = site.run_party("lan", "page", BOX_ADDRESS, SITE_NAME, str(authority), "/healthz")
    print(
        f"half requests from one address: {accepted_count} of 2000 let in; the pages "
        f"meanwhile: {page_status}"
    )
    assert accepted_count <= 300
    assert page_status == 200
    process.communicate()


def test_sip_is_not_available_through_the_pages(site: Site, tmp_path: Path) -> None:
    authority = tmp_path / "ca.pem"
    authority.write_text(site.machine.run_checked("cat /etc/appliance/tls/ca.pem"))
    assert site.run_party("lan", "page", BOX_ADDRESS, SITE_NAME, str(authority), "/ws") == 404
    assert ":8088 " not in site.machine.run_checked("ss -ltn")


def test_root_follows_no_link_of_the_appliance(site: Site) -> None:
    """An attacker with the appliance's account links to files of root; then the roles run."""
    roles = ("asterisk", "app", "firewall", "backup")
    site.machine.run_checked("sh -s", text=PLANT_LINKS_SCRIPT)
    before = site.machine.run_checked(LIST_TRAPS_COMMAND)
    try:
        for role in roles:
            process = site.run_playbook("site", "--tags", role)
            print(
                f"with planted links, {role}: {'went on' if process.returncode == 0 else 'stopped'}"
            )
        site.machine.run_checked("logrotate --force /etc/logrotate.d/appliance || true")
        database = (PLAYBOOK_FOLDER / "files/database.sh").read_text()
        database_path = "/var/lib/appliance/data/appliance.db"
        site.machine.run(f"sh -s keep {database_path}", text=database)
        assert site.machine.run_checked(LIST_TRAPS_COMMAND) == before
    finally:
        site.machine.run_checked("sh -s", text=REMOVE_LINKS_SCRIPT)
    process = site.run_playbook("site", "--tags", ",".join(roles))
    assert process.returncode == 0, process.stdout[-4000:]


def test_operators_can_open_listed_sites_only(site: Site) -> None:
    # waits half a minute for an internet
    listed_site = site.start_party("lan", "proxy", BOX_ADDRESS, "my.gov.uz")
    assert site.run_party("lan", "proxy", BOX_ADDRESS, "example.com") == 403
    site.machine.run_checked("echo .example.com >> /etc/appliance/operator-sites.txt")
    wait_until(lambda: site.run_party("lan", "opened", BOX_ADDRESS, "example.com"), 60)
    assert party_result(listed_site) != 403


def test_an_address_that_guesses_passwords_is_banned(site: Site) -> None:
    guesser, victim = "10.77.0.66", "10.77.0.67"
    for address in (guesser, victim):
        site.network.add_address("lan", address)
    forged = site.run_party("stranger", "forge", BOX_ADDRESS, victim)
    assert site.run_party("lan", "options", BOX_ADDRESS, guesser)
    assert (
        site.run_party("lan", "guess", str(site.machine.folder / "guesser"), BOX_ADDRESS, guesser)
        > 3
    )
    wait_until(
        lambda: (
            not str(site.run_party("lan", "options", BOX_ADDRESS, guesser, "1")).startswith("SIP")
        ),
        120,
    )
    assert str(site.run_party("lan", "options", BOX_ADDRESS, ADDRESS_OF_PLACE["lan"])).startswith(
        "SIP/2.0 "
    )
    # An address that was forged by another party is not banned: those packets were discarded
    # before.
    assert str(site.run_party("lan", "options", BOX_ADDRESS, victim)).startswith("SIP/2.0 ")
    banned = site.machine.run_checked("fail2ban-client get phones banip").split()
    print(f"{forged} forged packets of {victim}; shut out: {banned}")
    assert banned == [guesser]
    # Banned from SIP only: the pages and SSH still answer.
    rules = site.machine.run_checked("nft list ruleset")
    assert re.search(r"udp dport \{? ?5060.* @addr-set-phones", rules), rules
    assert "l4proto" not in rules


def test_each_process_has_a_user_of_its_own(site: Site) -> None:
    users = {}
    for unit in APPLIANCE_UNITS:
        pid = _main_pid_line(site, unit).partition("=")[2].strip()
        users[unit] = site.machine.run_checked("ps", "-o", "user:30=", "-p", pid).strip()
    owner = "appliance"
    assert users == dict(
        zip(APPLIANCE_UNITS, ("asterisk", *SEPARATE_USERS, owner, owner), strict=True)
    )
    for unit, paths in CLOSED_PATHS.items():
        assert _readable_paths(site, unit, paths) == [], unit
    for unit, paths in READABLE_PATHS.items():
        assert _readable_paths(site, unit, paths) == list(paths), unit
    assert not _succeeds_as_unit(site, "appliance-web", "touch /var/lib/appliance/recordings/x")
    assert not _succeeds_as_unit(
        site, "appliance-web", f"{ASTERISK_CONSOLE} -rx 'core show version'"
    )
    secret = site.machine.run_checked("cat /etc/appliance/ami_secret").strip()
    assert secret in site.machine.run_checked("cat /etc/appliance/appliance.toml")
    assert secret not in site.machine.run_checked("cat /etc/appliance/web.toml")


def test_a_plan_saved_by_the_pages_is_put_in_force(site: Site) -> None:
    """The pages' process has no right to do so; the pbx process does it."""
    plan = (
        "from appliance.core import settings, db; from appliance.pbx import actions; "
        "from appliance.telephony import routing; import dataclasses; "
        "s = settings.load_settings('/etc/appliance/web.toml').without_ami_secret(); "
        "db.open_database(s.paths.database).connect(); p = routing.current_plan(s); "
        "w = dataclasses.replace(p, limits=dataclasses.replace(p.limits, calls=17)); "
        "print(actions.apply_plan(s, w, 'texnik').id)"
    )
    assert _succeeds_as_unit(
        site, "appliance-web", f'/opt/appliance/current/bin/python -c "{plan}"'
    )
    assert "17" in site.machine.run_checked(
        "grep -r 17 /var/lib/appliance/asterisk/etc --include=*.conf"
    )
    # Both have tried it on a second Asterisk, whose end does not affect them.
    for unit in ("appliance-web", "appliance-pbx"):
        state = site.machine.run_checked(
            "systemctl", "show", "--value", "--property=SubState", unit
        )
        assert state == "running\n"


def test_the_router_is_checked(site: Site) -> None:
    """With the account of the jobs, without further rights."""
    link_query = "SELECT up FROM link_stretch WHERE link = 'gateway' AND until IS NULL"
    wait_until(lambda: site.query_database(link_query).split() == ["(1,)"], 60)


@pytest.mark.parametrize("kind", ["call", "offline"])
def test_the_box_runs_its_self_tests(site: Site, kind: str) -> None:
    """In the sandbox of the jobs, as they run by themselves when due."""
    wait_until(lambda: site.query_database(RUN_EXISTS_SQL.format(kind=kind)), 60)
    site.query_database(MAKE_DUE_SQL.format(kind=kind))
    row = wait_until(
        lambda: site.query_database(SELF_TEST_SQL.format(kind=kind)), SELF_TEST_SECONDS, every=1
    )
    assert row.startswith("(1, '', '',"), row
    assert LAST_STEPS[kind] in row


@pytest.mark.parametrize("unit", APPLIANCE_UNITS)
def test_a_unit_is_sandboxed(site: Site, unit: str) -> None:
    analysis = site.machine.run(
        "systemd-analyze", "security", "--no-pager", f"{unit}.service"
    ).stdout
    score = re.search(r"Overall exposure level for \S+: ([\d.]+)", analysis)
    assert score
    print(unit, score[1])
    assert float(score[1]) <= MAX_EXPOSURE


def test_doctor_warns_that_ssh_accepts_passwords(site: Site) -> None:
    """No technician has provided a key here."""
    checks = json.loads(site.machine.run("appliance", "doctor", "--json").stdout)
    assert [check["state"] for check in checks if check["check"] == "ssh"] == ["warn"]


def test_the_clock_of_the_host_is_out_of_reach(site: Site) -> None:
    bounding = site.machine.run_checked("grep CapBnd /proc/1/status").split()[1]
    assert not int(bounding, 16) >> 25 & 1  # CAP_SYS_TIME


def _main_pid_line(site: Site, unit: str) -> str:
    return site.machine.run_checked("systemctl", "show", "--property=MainPID", unit)


def _readable_paths(site: Site, unit: str, paths: tuple[str, ...]) -> list[str]:
    """Return the files that the unit's process can read and the folders that it can list."""
    script = "".join(f"{{ cat {p} || ls {p}/.; }} >/dev/null 2>&1 && echo {p}\n" for p in paths)
    return _run_as_unit(site, unit, script).stdout.split()


def _succeeds_as_unit(site: Site, unit: str, command: str) -> bool:
    """Return True if a command succeeds as that unit's process."""
    return _run_as_unit(site, unit, command).returncode == 0


def _run_as_unit(site: Site, unit: str, script: str) -> subprocess.CompletedProcess[str]:
    """Run a script as that unit's process: with its user and its view of the files."""
    pid = _main_pid_line(site, unit).partition("=")[2].strip()
    groups = site.machine.run_checked(f"grep ^Groups: /proc/{pid}/status").split()[1:]
    user = site.machine.run_checked("ps", "-o", "user:30=", "-p", pid).strip()
    become = f"setpriv --reuid={user} --regid=appliance --groups={','.join(groups)}"
    return site.machine.run(f"nsenter --target {pid} --mount {become} sh -s", text=script)
