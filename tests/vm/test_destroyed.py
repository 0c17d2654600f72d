"""A destroyed box is restored onto a plain one from the second disk; run by ./run test-vm."""

import contextlib
import re
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from appliance.core import sqlite
from tests.rig.waiting import wait_until
from tests.vm.site_of_test import Site, keys_on_paper, party_result

pytestmark = pytest.mark.vm

SITE_HOME = "/var/lib/appliance"
# Without the test calls of the box itself: a restore ends with one.
COUNT_QUERY = (
    "SELECT (SELECT count(*) FROM call WHERE synthetic = 0), (SELECT count(*) FROM appeal), "
    "(SELECT count(*) FROM recording JOIN call ON call.id = recording.call_id "
    "WHERE call.synthetic = 0)"
)
SQLITE = "/opt/appliance/current/bin/python -m appliance.core.sqlite"
REQUEST_RUN_SQL = """
INSERT INTO snapshot_run (kind, repository, snapshot, started_at, state, verified, bytes_added,
    bytes_total, trouble, said, detail, "by")
SELECT '{kind}', '', '', started_at, 'asked', 0, 0, 0, '', '', '{{}}', 'test-{kind}'
FROM snapshot_run LIMIT 1;
"""
RUN_STATE_SQL = """SELECT state, said FROM snapshot_run WHERE "by" = 'test-{kind}';"""
UNITS = (
    "asterisk",
    "nginx",
    *(f"appliance-{name}" for name in ("pbx", "web", "jobs", "replicate")),
)


def test_a_destroyed_box_is_restored_on_a_plain_one(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    machine = site.machine
    site.switch_phone_on()
    machine.run_checked("appliance demo load --calls 40 --from 2026-10-05 --to 2026-10-05 --seed 1")
    make_talk(site)
    machine.run_checked("appliance backup create")
    saved, recording_hashes, authority = (
        site_state(site),
        saved_recordings(site),
        machine.run_checked("cat /etc/appliance/tls/ca.pem"),
    )
    assert all(saved["counts"].values()), saved["counts"]
    assert recording_hashes
    keys = keys_from_sheet(site)
    make_talk(site)
    add_user(site, "later")
    newer = site_state(site)
    assert newer["counts"]["calls"] == saved["counts"]["calls"] + 1
    wait_until(lambda: is_replicated(site, "later"), 120, every=1)

    started_at = time.monotonic()
    machine.replace()
    booted_at = time.monotonic()
    site.copy_inventory_to_box()
    machine.run_checked("sh /media/bundle/install")
    installed_at = time.monotonic()
    output = machine.run_on_terminal(
        "cd /opt/appliance/bundle/ansible && ansible-playbook -i /root/site.ini restore.yml", keys
    )
    times = {
        "a plain box boots": booted_at - started_at,
        "install": installed_at - booted_at,
        "restore.yml": time.monotonic() - installed_at,
        "of that the restore": float(re.findall(r"restored in (\d+) s", output)[-1]),
    }
    for name, seconds in times.items():
        print(f"{name}: {seconds:.0f} s")
        record_property(name, round(seconds))

    saved_certificate = machine.run_checked("openssl x509 -in /etc/appliance/tls/server.pem")
    wait_until(lambda: served_certificate(site) == saved_certificate, 20)
    wait_until(lambda: machine.run("systemctl", "is-active", *UNITS).returncode == 0, 120)
    restored = site_state(site)
    assert restored["counts"] == newer["counts"]
    assert restored["calls"] == newer["calls"]
    assert "later" in restored["users"]  # added after the snapshot: only the replica has it
    assert recording_hashes.items() <= saved_recordings(site).items()
    assert machine.run_checked("cat /etc/appliance/tls/ca.pem") == authority
    site.switch_phone_on()
    make_talk(site)
    assert site_state(site)["counts"]["calls"] == newer["counts"]["calls"] + 1
    machine.run_checked("appliance backup create")
    machine.run_checked("appliance backup verify")


def test_a_box_is_restored_to_a_point_in_time(site: Site) -> None:
    add_user(site, "before")
    wait_until(lambda: is_replicated(site, "before"), 120, every=1)
    point_in_time = site.machine.run_checked("date +%Y-%m-%dT%H:%M:%S.%N%:z").strip()
    add_user(site, "after")
    wait_until(lambda: is_replicated(site, "after"), 120, every=1)
    later_time = site.machine.run_checked("date +%Y-%m-%dT%H:%M:%S.%N%:z").strip()
    refused_run = site.run_playbook("restore", "-e", f"restore_at={point_in_time}")
    assert refused_run.returncode
    assert "audit entries by people missing" in refused_run.stdout
    assert "-e restore_accept_loss=true" in refused_run.stdout
    assert "after" in site_state(site)["users"]
    accept_loss = ("-e", "restore_accept_loss=true")
    process = site.run_playbook("restore", "-e", f"restore_at={point_in_time}", *accept_loss)
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr
    print(*re.findall(r"seconds: .*", process.stdout))
    users = site_state(site)["users"]
    assert "before" in users
    assert "after" not in users
    wait_until(lambda: site.machine.run("systemctl", "is-active", *UNITS).returncode == 0, 120)
    # The time was wrong: a second restore reaches the data that the first one omitted.
    process = site.run_playbook("restore", "-e", f"restore_at={later_time}", *accept_loss)
    assert process.returncode == 0, process.stdout[-4000:] + process.stderr
    assert {"before", "after"} <= site_state(site)["users"]


def test_the_jobs_make_a_snapshot_and_run_a_drill(site: Site) -> None:
    """As the technician requests it on the page: by the unit, with the unit's rights."""
    database = f"{SQLITE} {SITE_HOME}/data/appliance.db"
    for kind in ("create", "drill"):
        site.machine.run(database, text=REQUEST_RUN_SQL.format(kind=kind))

        def run_state(kind: str = kind) -> str:
            return site.machine.run(database, text=RUN_STATE_SQL.format(kind=kind)).stdout

        wait_until(lambda state=run_state: re.search("'(done|failed)'", state()), 300, every=1)
        assert "'done'" in run_state(), run_state()


def served_certificate(site: Site) -> str:
    """Return the certificate that nginx presents."""
    return site.machine.run_checked(
        "openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509"
    )


def make_talk(site: Site) -> None:
    """Let a citizen talk to the operator; wait until the ledger has the call and its recording."""
    before = len(site.ledger_calls())
    assert party_result(site.start_call(15)) == {"answered": True, "ended_by": "caller"}
    wait_until(
        lambda: len(site.ledger_calls()) > before and site.ledger_calls()[-1]["recordings"], 120
    )


def add_user(site: Site, login: str) -> None:
    """Add a user, who is in no event log."""
    site.machine.run_checked(
        f"echo secret-12345 | appliance user add {login} --name {login} --role manager "
        "--password-stdin"
    )


def site_state(site: Site) -> dict[str, Any]:
    """Return the site's calls, its users, and the counts of appeals and recordings."""
    output = site.machine.run_checked(f"{SQLITE} {SITE_HOME}/data/appliance.db '{COUNT_QUERY}'")
    counts = map(int, re.findall(r"\d+", output))
    return {
        "counts": dict(zip(("calls", "appeals", "recordings"), counts, strict=True)),
        "calls": site.ledger_calls(),
        "users": {
            line.split()[0] for line in site.machine.run_checked("appliance user list").splitlines()
        },
    }


def saved_recordings(site: Site) -> dict[str, str]:
    """Return name → hash of every recording in the site's folder."""
    output = site.machine.run_checked(
        f"cd {SITE_HOME}/recordings && find . -type f -exec sha256sum {{}} +"
    )
    return {name: sum_ for sum_, name in (line.split() for line in output.splitlines())}


def keys_from_sheet(site: Site) -> list[str]:
    """Return both keys as a person reads them from the recovery sheet."""
    keys = keys_on_paper(site.sheet_text())
    [[repository], [recovery]] = keys["plain"], keys["sealed"]
    return [repository, recovery]


def is_replicated(site: Site, login: str) -> bool:
    """Return True if the replica on the second disk contains this user."""
    folder, file = site.machine.second / "replica" / "database", site.machine.folder / "copied.db"
    file.unlink(missing_ok=True)
    litestream = Path(sys.executable).with_name("litestream")
    restore = [litestream, "restore", "-o", file, folder.as_uri()]
    if not folder.exists() or subprocess.run(restore, capture_output=True).returncode:
        return False
    with contextlib.closing(sqlite.connect(file)) as connection:
        return bool(connection.execute("SELECT 1 FROM user WHERE login = ?", (login,)).fetchone())
