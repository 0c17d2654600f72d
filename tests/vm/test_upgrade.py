"""A newer release is put in force, or taken back with what was typed; run by ./run test-vm."""

import os
import re
import shutil
import subprocess
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from provisioning.box import bundle
from tests.rig.waiting import until
from tests.vm.machine import Machine
from tests.vm.site_of_test import Site, changed, result

pytestmark = pytest.mark.vm

DATA = "/var/lib/appliance/data/appliance.db"
FORCE = "/opt/appliance/current"
CRASHING = {"appliance/web/shell/server.py": b"raise RuntimeError('broken on purpose')\n"}
NEW_TABLE = 'db.execute_sql("CREATE TABLE novelty (id INTEGER)")'
REWRITTEN = """db.execute_sql("UPDATE appeal SET gist = gist || ' .'")"""
MIGRATION = """
def up(migrator, db):
    {statement}


def down(migrator, db):
    pass
"""
FAILING_CHECK = b'''


def schema(settings):
    """A self-check that fails on purpose."""
    yield Check("database.schema", "Schema", "fail", "is broken on purpose", "", {})
'''
REGISTER = """
import sys
from zoneinfo import ZoneInfo
from appliance.casework import appeals
from appliance.core import db, settings
from appliance.models import User
db.open_database(settings.load("/etc/appliance/appliance.toml").paths.database).connect()
who = User.get(User.login == "dilnoza")
values = {"applicant_kind": "person", "appeal_type": "application", "gist": sys.argv[1]}
token = appeals.token_for(who, None)
print(appeals.register(values, operator=who, token=token, tz=ZoneInfo("Asia/Tashkent")).number)
"""
NUMBERS = "SELECT number, gist FROM appeal ORDER BY number"


@pytest.fixture
def release(machine: Machine) -> Iterator[Callable[..., str]]:
    """Makes further bundles in the drive of the box, the same but for their release."""
    made: list[Path] = []

    def make(
        name: str,
        files: dict[str, bytes] | None = None,
        migration: str = "",
        migration_name: str = "",
        version: str = "9.9.9",
    ) -> str:
        folder = machine.media / name
        made.append(folder)
        shutil.copytree(machine.media / "bundle", folder, copy_function=os.link)
        for file in ("release", "update"):
            (folder / file).unlink()
        wheel = next((folder / "wheels").glob("appliance-*.whl"))
        with zipfile.ZipFile(wheel) as old:
            packed = {entry: old.read(entry) for entry in old.namelist()}
        wheel.unlink()
        checks = "appliance/box/health/database.py"
        packed |= files if files is not None else {checks: packed[checks] + FAILING_CHECK}
        if migration:
            text = MIGRATION.format(statement=migration)
            packed[f"appliance/migrations/0999_{migration_name or name}.py"] = text.encode()
        with zipfile.ZipFile(wheel, "w") as new:
            for entry, data in packed.items():
                new.writestr(entry, data)
        bundle.name_release(folder, f"{version}-{name}", int(time.time()))
        return f"/media/{name}"

    yield make
    for folder in made:
        shutil.rmtree(folder)


class Upgrade(threading.Thread):
    """An upgrade that is under way."""

    def __init__(self, site: Site, folder: str, *options: str) -> None:
        super().__init__()
        self.site, self.folder, self.options = site, folder, options
        self.start()

    def run(self) -> None:
        began = time.monotonic()
        self.done = self.site.play("upgrade", "-e", f"bundle_dir={self.folder}", *self.options)
        self.seconds = time.monotonic() - began

    def said(self) -> str:
        """What the playbook printed when it is over, as one line."""
        self.join()
        return " ".join(self.done.stdout.split())


def in_force(site: Site) -> str:
    return site.machine.told(f"basename $(readlink {FORCE})").strip()


def process(site: Site, unit: str) -> str:
    return site.machine.told("systemctl", "show", "--property=MainPID", unit)


def answers(site: Site) -> bool:
    """Whether the pages answer."""
    return site.machine.run("curl", "-sf", "http://127.0.0.1:8000/healthz").returncode == 0


def register(site: Site, gist: str) -> str:
    """The number of an appeal that is registered as the pages do it, by the release in force."""
    become = "setpriv --reuid=appliance --regid=appliance --init-groups"
    words = f"{become} {FORCE}/bin/python - '{gist}'"
    return site.machine.told(f"umask 0007; {words}", text=REGISTER).strip()


def typed_since(site: Site, name: str, *gists: str) -> list[str]:
    """Appeals typed while that release is in force and its pages answer."""
    until(lambda: in_force(site).endswith(name) and answers(site), 300, every=1)
    return [register(site, gist) for gist in gists]


def channels(site: Site) -> str:
    etc = "/var/lib/appliance/asterisk/etc/asterisk.conf"
    return site.machine.told(f"asterisk -C {etc} -rx 'core show channels concise'").replace(
        "!", " "
    )


def tables(site: Site) -> str:
    return site.asked("SELECT name FROM sqlite_master")


def chain_faults(site: Site) -> list[str]:
    """What is wrong with the audit's chain; a box that was restored lacks its first signed head."""
    lines = site.machine.run("appliance", "audit", "verify").stdout.splitlines()
    return [line for line in lines if line.startswith(("missing", "state", "first_wrong"))]


def test_a_failing_self_check_takes_a_release_back_with_what_was_typed(
    site: Site, release: Callable[..., str]
) -> None:
    first, former, exchange = register(site, "oldin"), in_force(site), process(site, "asterisk")
    faults = chain_faults(site)
    folder = release("unwell", migration=NEW_TABLE)
    site.switch_phone_on()
    citizen = site.call(75)
    until(lambda: "Up" in channels(site), 60)
    upgrade = Upgrade(site, folder, "-e", "upgrade_wait=40")
    typed = typed_since(site, "unwell", "birinchi", "ikkinchi")
    said = upgrade.said()

    assert upgrade.done.returncode
    assert "the self-check database.schema fails" in said, said[-4000:]
    assert f"{former} is in force again and works" in said
    assert re.search(r"carried over, rows by table: [^.]*\bappeal 2\b", said)
    assert in_force(site) == former
    assert "novelty" not in tables(site)
    rows = site.asked(NUMBERS)
    assert [n for n in (first, *typed) if n not in rows] == []
    assert "birinchi" in rows
    assert chain_faults(site) == faults
    indexed = site.asked("SELECT ref FROM search_entry WHERE kind = 'appeal'")
    assert [number for number in typed if number not in indexed] == []
    assert _count(register(site, "keyin")) == _count(typed[-1]) + 1
    assert process(site, "asterisk") == exchange
    assert result(citizen) == {"answered": True, "ended_by": "caller"}
    until(lambda: site.calls()[-1]["recordings"], 120)
    assert site.calls()[-1]["outcome"] == "answered"


def test_a_release_that_crashes_is_taken_back_at_once(
    site: Site, release: Callable[..., str], record_property: Callable[[str, object], None]
) -> None:
    former = in_force(site)
    folder = release("crashing", CRASHING, migration=NEW_TABLE)
    away: list[float] = []
    upgrade = Upgrade(site, folder, "-e", "upgrade_wait=900")
    while upgrade.is_alive():
        if not answers(site):
            away.append(time.monotonic())
        upgrade.join(0.5)
    said = upgrade.said()
    assert upgrade.done.returncode
    assert re.search(r"appliance-web has ended \d+ times since its start", said), said[-4000:]
    assert f"{former} is in force again and works" in said
    assert in_force(site) == former
    assert "novelty" not in tables(site)
    record_property("pages away for a release that crashes", f"{away[-1] - away[0]:.0f} s")
    assert away[-1] - away[0] < 120  # of 900 that it could have waited


def test_what_cannot_be_carried_over_is_named_and_lost_only_when_that_is_accepted(
    site: Site, release: Callable[..., str]
) -> None:
    before = register(site, "oldin")
    former = in_force(site)
    folder = release("rewriting", migration=REWRITTEN)
    upgrade = Upgrade(site, folder, "-e", "upgrade_wait=40")
    typed = typed_since(site, "rewriting", "uchinchi", "toʻrtinchi")
    said = upgrade.said()
    assert upgrade.done.returncode
    assert f"not carried over, appeal: {', '.join(typed)}" in said, said[-4000:]
    assert "rewriting stays in force" in said
    assert in_force(site).endswith("rewriting")
    until(lambda: answers(site), 60, every=1)

    refused = site.play("rollback")
    assert refused.returncode
    assert in_force(site).endswith("rewriting")

    done = site.play("rollback", "-e", "rollback_accept_loss=true")
    assert done.returncode == 0, done.stdout[-4000:]
    assert ", ".join(typed) in " ".join(done.stdout.split())
    assert in_force(site) == former
    rows = site.asked(NUMBERS)
    assert before in rows
    assert not [number for number in typed if number in rows]
    assert _count(register(site, "keyin")) == _count(typed[-1]) + 1
    assert f"{typed[0]}" in site.machine.told(
        f"{FORCE}/bin/python -m appliance.core.sqlite "
        f"$(ls -t {DATA}.rolled-back-* | head -1) '{NUMBERS}'"
    )
    assert site.play("rollback").returncode  # there is nothing to take back any more


def test_a_release_that_works_is_put_in_force(site: Site, release: Callable[..., str]) -> None:
    folder = release("newer", {}, migration=NEW_TABLE)
    exchange = process(site, "asterisk")
    upgrade = Upgrade(site, folder)
    said = upgrade.said()
    assert upgrade.done.returncode == 0, said[-4000:]
    assert in_force(site).endswith("newer")
    assert process(site, "asterisk") == exchange
    again = site.play("upgrade", "-e", f"bundle_dir={folder}")
    assert changed(again)["changed"] == 0, again.stdout[-4000:]


def test_an_older_stick_is_refused_before_anything_is_changed(site: Site) -> None:
    """It is older than what the box has accepted; named, its release lacks a migration."""
    name = site.machine.told("cat /media/bundle/release").strip()
    named = f"validate_accept={name}"
    for book in ("upgrade", "site"):
        done = site.play(book)
        assert done.returncode
        assert "it is older than 9.9.9-newer, which this box has accepted" in _line(done)
        assert changed(done)["changed"] == 0
        done = site.play(book, "-e", named)
        assert done.returncode
        assert "of a newer release, which made 0999_newer" in _line(done), _line(done)[-4000:]
        assert changed(done)["changed"] == 0
    refused = site.machine.run("sh", "/media/bundle/install")
    assert refused.returncode
    assert "This bundle is refused: it is older than 9.9.9-newer" in refused.stderr
    assert in_force(site).endswith("newer")


def test_a_release_that_is_named_is_taken_though_older_and_the_audit_has_it(
    site: Site, release: Callable[..., str]
) -> None:
    """A stick of the same schema, of a lower version than the box has accepted."""
    folder = release("older", {}, migration=NEW_TABLE, migration_name="newer", version="9.8.0")
    name = "9.8.0-older"
    done = site.play("upgrade", "-e", f"bundle_dir={folder}", "-e", f"validate_accept={name}")
    assert done.returncode == 0, done.stdout[-4000:]
    assert in_force(site) == name
    written = site.asked("SELECT action, subject FROM audit_entry WHERE action LIKE 'release.%'")
    assert f"('release.accepted', '{name}')" in written
    assert f"('release.in_force', '{name}')" in written
    assert "version: 9.9.9" in site.machine.told("cat /etc/appliance/update")  # the highest stays


def test_by_hand_a_release_is_taken_back_with_what_was_typed(site: Site) -> None:
    """Days later, too: rollback.yml."""
    former, faults = in_force(site), chain_faults(site)
    typed = register(site, "beshinchi")
    done = site.play("rollback")
    assert done.returncode == 0, done.stdout[-4000:]
    assert in_force(site) != former
    assert typed in site.asked(NUMBERS)
    assert chain_faults(site) == faults


def _line(done: subprocess.CompletedProcess[str]) -> str:
    return " ".join(done.stdout.split())


def _count(number: str) -> int:
    return int(number.rpartition("-")[2])
