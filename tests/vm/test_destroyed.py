"""What a box knew comes back onto a plain one, from the second disk; run by ./run test-vm."""

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
from tests.rig.waiting import until
from tests.vm.site_of_test import Site, keys_on_paper, result

pytestmark = pytest.mark.vm

HOME = "/var/lib/appliance"
# Without the calls that the box places to try itself: a restore ends with one.
COUNTS = (
    "SELECT (SELECT count(*) FROM call WHERE synthetic = 0), (SELECT count(*) FROM appeal), "
    "(SELECT count(*) FROM recording JOIN call ON call.id = recording.call_id "
    "WHERE call.synthetic = 0)"
)
SQLITE = "/opt/appliance/current/bin/python -m appliance.core.sqlite"
ASK = """
INSERT INTO snapshot_run (kind, repository, snapshot, started_at, state, verified, bytes_added,
    bytes_total, trouble, said, detail, "by")
SELECT '{kind}', '', '', started_at, 'asked', 0, 0, 0, '', '', '{{}}', 'test-{kind}'
FROM snapshot_run LIMIT 1;
"""
SEEN = """SELECT state, said FROM snapshot_run WHERE "by" = 'test-{kind}';"""
UNITS = (
    "asterisk",
    "nginx",
    *(f"appliance-{name}" for name in ("pbx", "web", "jobs", "replicate")),
)


def test_a_destroyed_box_comes_back_on_a_plain_one(
    site: Site, record_property: Callable[[str, object], None]
) -> None:
    machine = site.machine
    site.switch_phone_on()
    machine.told("appliance demo load --calls 40 --from 2026-10-05 --to 2026-10-05 --seed 1")
    talk(site)
    machine.told("appliance backup create")
    saved, sounds, authority = (
        known(site),
        recordings(site),
        machine.told("cat /etc/appliance/tls/ca.pem"),
    )
    assert all(saved["counts"].values()), saved["counts"]
    assert sounds
    keys = typed_from_paper(site)
    talk(site)
    add(site, "later")
    newer = known(site)
    assert newer["counts"]["calls"] == saved["counts"]["calls"] + 1
    until(lambda: copied(site, "later"), 120, every=1)

    began = time.monotonic()
    machine.replace()
    booted = time.monotonic()
    site.inventory_on_the_box()
    machine.told("sh /media/bundle/install")
    installed = time.monotonic()
    told = machine.typed(
        "cd /opt/appliance/bundle/ansible && ansible-playbook -i /root/site.ini restore.yml", keys
    )
    times = {
        "a plain box boots": booted - began,
        "install": installed - booted,
        "restore.yml": time.monotonic() - installed,
        "of that the restore": float(re.findall(r"restored in (\d+) s", told)[-1]),
    }
    for name, seconds in times.items():
        print(f"{name}: {seconds:.0f} s")
        record_property(name, round(seconds))

    saved_certificate = machine.told("openssl x509 -in /etc/appliance/tls/server.pem")
    until(lambda: shown_certificate(site) == saved_certificate, 20)
    until(lambda: machine.run("systemctl", "is-active", *UNITS).returncode == 0, 120)
    back = known(site)
    assert back["counts"] == newer["counts"]
    assert back["calls"] == newer["calls"]
    assert "later" in back["users"]  # typed after the snapshot: nothing but the copy has it
    assert sounds.items() <= recordings(site).items()
    assert machine.told("cat /etc/appliance/tls/ca.pem") == authority
    site.switch_phone_on()
    talk(site)
    assert known(site)["counts"]["calls"] == newer["counts"]["calls"] + 1
    machine.told("appliance backup create")
    machine.told("appliance backup verify")


def test_a_box_goes_back_to_a_moment(site: Site) -> None:
    add(site, "before")
    until(lambda: copied(site, "before"), 120, every=1)
    moment = site.machine.told("date +%Y-%m-%dT%H:%M:%S.%N%:z").strip()
    add(site, "after")
    until(lambda: copied(site, "after"), 120, every=1)
    later = site.machine.told("date +%Y-%m-%dT%H:%M:%S.%N%:z").strip()
    refused = site.play("restore", "-e", f"restore_at={moment}")
    assert refused.returncode
    assert "audit entries by people missing" in refused.stdout
    assert "-e restore_accept_loss=true" in refused.stdout
    assert "after" in known(site)["users"]
    accepted = ("-e", "restore_accept_loss=true")
    done = site.play("restore", "-e", f"restore_at={moment}", *accepted)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    print(*re.findall(r"seconds: .*", done.stdout))
    users = known(site)["users"]
    assert "before" in users
    assert "after" not in users
    until(lambda: site.machine.run("systemctl", "is-active", *UNITS).returncode == 0, 120)
    # The moment was wrong: a second restore reaches what the first one left out.
    done = site.play("restore", "-e", f"restore_at={later}", *accepted)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr
    assert {"before", "after"} <= known(site)["users"]


def test_the_jobs_make_a_snapshot_and_try_it_out(site: Site) -> None:
    """As the technician asks for it on the page: by the unit, with what it may do."""
    database = f"{SQLITE} {HOME}/data/appliance.db"
    for kind in ("create", "drill"):
        site.machine.run(database, text=ASK.format(kind=kind))

        def seen(kind: str = kind) -> str:
            return site.machine.run(database, text=SEEN.format(kind=kind)).stdout

        until(lambda seen=seen: re.search("'(done|failed)'", seen()), 300, every=1)
        assert "'done'" in seen(), seen()


def shown_certificate(site: Site) -> str:
    """The certificate that nginx shows."""
    return site.machine.told(
        "openssl s_client -connect 127.0.0.1:443 </dev/null 2>/dev/null | openssl x509"
    )


def talk(site: Site) -> None:
    """A citizen talks to the operator, and the ledger has it with its sound."""
    before = len(site.calls())
    assert result(site.call(15)) == {"answered": True, "ended_by": "caller"}
    until(lambda: len(site.calls()) > before and site.calls()[-1]["recordings"], 120)


def add(site: Site, login: str) -> None:
    """Somebody more, whom no event log knows."""
    site.machine.told(
        f"echo secret-12345 | appliance user add {login} --name {login} --role manager "
        "--password-stdin"
    )


def known(site: Site) -> dict[str, Any]:
    """What the site knows: its calls, its people, how many appeals and recordings."""
    told = site.machine.told(f"{SQLITE} {HOME}/data/appliance.db '{COUNTS}'")
    counts = map(int, re.findall(r"\d+", told))
    return {
        "counts": dict(zip(("calls", "appeals", "recordings"), counts, strict=True)),
        "calls": site.calls(),
        "users": {
            line.split()[0] for line in site.machine.told("appliance user list").splitlines()
        },
    }


def recordings(site: Site) -> dict[str, str]:
    """The hash of every recording that a snapshot was made of."""
    told = site.machine.told(f"cd {HOME}/recordings && find . -type f -exec sha256sum {{}} +")
    return {name: sum_ for sum_, name in (line.split() for line in told.splitlines())}


def typed_from_paper(site: Site) -> list[str]:
    """Both keys as a person reads them off the recovery sheet."""
    keys = keys_on_paper(site.sheet())
    [[repository], [recovery]] = keys["plain"], keys["sealed"]
    return [repository, recovery]


def copied(site: Site, login: str) -> bool:
    """Whether the continuous copy on the second disk knows somebody."""
    folder, file = site.machine.second / "replica" / "database", site.machine.folder / "copied.db"
    file.unlink(missing_ok=True)
    litestream = Path(sys.executable).with_name("litestream")
    restore = [litestream, "restore", "-o", file, folder.as_uri()]
    if not folder.exists() or subprocess.run(restore, capture_output=True).returncode:
        return False
    with contextlib.closing(sqlite.connect(file)) as connection:
        return bool(connection.execute("SELECT 1 FROM user WHERE login = ?", (login,)).fetchone())
