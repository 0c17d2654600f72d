"""A newer release is put in force, or rolled back without loss of data; run by ./run test-vm."""

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
from tests.rig.waiting import wait_until
from tests.vm.machine import Machine
from tests.vm.site_of_test import Site, party_result, recap_counts

pytestmark = pytest.mark.vm

DATABASE_PATH = "/var/lib/appliance/data/appliance.db"
CURRENT_RELEASE_LINK = "/opt/appliance/current"
CRASHING_FILES = {"appliance/web/shell/server.py": b"raise RuntimeError('broken on purpose')\n"}
NEW_TABLE_STATEMENT = 'db.execute_sql("CREATE TABLE novelty (id INTEGER)")'
REWRITE_STATEMENT = """db.execute_sql("UPDATE appeal SET gist = gist || ' .'")"""
MIGRATION_FORMAT = """
def up(migrator, db):
    {statement}


def down(migrator, db):
    pass
"""
FAILING_CHECK = b'''


def check_schema(settings):
    """A self-check that fails on purpose."""
    yield Check("database.schema", "Schema", "fail", "is broken on purpose", "", {})
'''
REGISTER_SCRIPT = """
import sys
from zoneinfo import ZoneInfo
from appliance.casework import hooks
from appliance.casework.appeals import registering
from appliance.casework.forms import drafts
from appliance.core import db, settings
from appliance.models import User
db.open_database(settings.load_settings("/etc/appliance/appliance.toml").paths.database).connect()
who = User.get(User.login == "dilnoza")
hooks.appeal_registered.connect()
values = {"applicant_kind": "person", "appeal_type": "application", "gist": sys.argv[1]}
token = drafts.token_for(who, None)
print(registering.register(values, operator=who, token=token, tz=ZoneInfo("Asia/Tashkent")).number)
"""
NUMBERS_QUERY = "SELECT number, gist FROM appeal ORDER BY number"


@pytest.fixture
def release(machine: Machine) -> Iterator[Callable[..., str]]:
    """Makes further bundles in the drive of the box that differ only in their release."""
    folders: list[Path] = []

    def make_bundle(
        name: str,
        files: dict[str, bytes] | None = None,
        migration: str = "",
        migration_name: str = "",
        version: str = "9.9.9",
    ) -> str:
        folder = machine.media / name
        folders.append(folder)
        shutil.copytree(machine.media / "bundle", folder, copy_function=os.link)
        for file in ("release", "update"):
            (folder / file).unlink()
        wheel = next((folder / "wheels").glob("appliance-*.whl"))
        with zipfile.ZipFile(wheel) as old_wheel:
            contents = {entry: old_wheel.read(entry) for entry in old_wheel.namelist()}
        wheel.unlink()
        checks = "appliance/box/health/database.py"
        contents |= files if files is not None else {checks: contents[checks] + FAILING_CHECK}
        if migration:
            text = MIGRATION_FORMAT.format(statement=migration)
            contents[f"appliance/migrations/0999_{migration_name or name}.py"] = text.encode()
        with zipfile.ZipFile(wheel, "w") as new_wheel:
            for entry, data in contents.items():
                new_wheel.writestr(entry, data)
        bundle.finish_release(folder, f"{version}-{name}", int(time.time()))
        return f"/media/{name}"

    yield make_bundle
    for folder in folders:
        shutil.rmtree(folder)


class Upgrade(threading.Thread):
    """An upgrade in progress, in a thread of its own."""

    def __init__(self, site: Site, folder: str, *options: str) -> None:
        super().__init__()
        self.site, self.folder, self.options = site, folder, options
        self.start()

    def run(self) -> None:
        started_at = time.monotonic()
        self.playbook_run = self.site.run_playbook(
            "upgrade", "-e", f"bundle_dir={self.folder}", *self.options
        )
        self.seconds = time.monotonic() - started_at

    def wait_for_output(self) -> str:
        """Wait until the playbook is over; return its output as one line."""
        self.join()
        return " ".join(self.playbook_run.stdout.split())


def current_release(site: Site) -> str:
    return site.machine.run_checked(f"basename $(readlink {CURRENT_RELEASE_LINK})").strip()


def main_pid_line(site: Site, unit: str) -> str:
    return site.machine.run_checked("systemctl", "show", "--property=MainPID", unit)


def is_web_answering(site: Site) -> bool:
    """Return True if the pages answer."""
    return site.machine.run("curl", "-sf", "http://127.0.0.1:8000/healthz").returncode == 0


def register_appeal(site: Site, gist: str) -> str:
    """Register an appeal as the pages do, by the release in force; return its number."""
    become = "setpriv --reuid=appliance --regid=appliance --init-groups"
    command = f"{become} {CURRENT_RELEASE_LINK}/bin/python - '{gist}'"
    return site.machine.run_checked(f"umask 0007; {command}", text=REGISTER_SCRIPT).strip()


def register_under_release(site: Site, name: str, *gists: str) -> list[str]:
    """Register appeals under that release once its pages answer; return their numbers."""
    wait_until(
        lambda: current_release(site).endswith(name) and is_web_answering(site), 300, every=1
    )
    return [register_appeal(site, gist) for gist in gists]


def channel_list(site: Site) -> str:
    etc = "/var/lib/appliance/asterisk/etc/asterisk.conf"
    return site.machine.run_checked(f"asterisk -C {etc} -rx 'core show channels concise'").replace(
        "!", " "
    )


def table_names(site: Site) -> str:
    return site.query_database("SELECT name FROM sqlite_master")


def audit_chain_faults(site: Site) -> list[str]:
    """Return the faults of the audit chain; a restored box lacks its first signed head."""
    lines = site.machine.run("appliance", "audit", "verify").stdout.splitlines()
    return [line for line in lines if line.startswith(("missing", "state", "first_wrong"))]


def test_a_failing_self_check_rolls_back_without_losing_appeals(
    site: Site, release: Callable[..., str]
) -> None:
    first, former, asterisk_pid = (
        register_appeal(site, "oldin"),
        current_release(site),
        main_pid_line(site, "asterisk"),
    )
    faults = audit_chain_faults(site)
    folder = release("unwell", migration=NEW_TABLE_STATEMENT)
    site.switch_phone_on()
    citizen = site.start_call(75)
    wait_until(lambda: "Up" in channel_list(site), 60)
    upgrade = Upgrade(site, folder, "-e", "upgrade_wait=40")
    new_numbers = register_under_release(site, "unwell", "birinchi", "ikkinchi")
    output = upgrade.wait_for_output()

    assert upgrade.playbook_run.returncode
    assert "the self-check database.schema fails" in output, output[-4000:]
    assert f"{former} is in force again and works" in output
    assert re.search(r"carried over, rows by table: [^.]*\bappeal 2\b", output)
    assert current_release(site) == former
    assert "novelty" not in table_names(site)
    rows = site.query_database(NUMBERS_QUERY)
    assert [n for n in (first, *new_numbers) if n not in rows] == []
    assert "birinchi" in rows
    assert audit_chain_faults(site) == faults
    indexed = site.query_database("SELECT ref FROM search_entry WHERE kind = 'appeal'")
    assert [number for number in new_numbers if number not in indexed] == []
    assert _appeal_sequence(register_appeal(site, "keyin")) == _appeal_sequence(new_numbers[-1]) + 1
    assert main_pid_line(site, "asterisk") == asterisk_pid
    assert party_result(citizen) == {"answered": True, "ended_by": "caller"}
    wait_until(lambda: site.ledger_calls()[-1]["recordings"], 120)
    assert site.ledger_calls()[-1]["outcome"] == "answered"


def test_a_crashing_release_is_rolled_back_at_once(
    site: Site, release: Callable[..., str], record_property: Callable[[str, object], None]
) -> None:
    former = current_release(site)
    folder = release("crashing", CRASHING_FILES, migration=NEW_TABLE_STATEMENT)
    unanswered_times: list[float] = []
    upgrade = Upgrade(site, folder, "-e", "upgrade_wait=900")
    while upgrade.is_alive():
        if not is_web_answering(site):
            unanswered_times.append(time.monotonic())
        upgrade.join(0.5)
    output = upgrade.wait_for_output()
    assert upgrade.playbook_run.returncode
    assert re.search(r"appliance-web has ended \d+ times since its start", output), output[-4000:]
    assert f"{former} is in force again and works" in output
    assert current_release(site) == former
    assert "novelty" not in table_names(site)
    record_property(
        "pages away for a release that crashes",
        f"{unanswered_times[-1] - unanswered_times[0]:.0f} s",
    )
    assert unanswered_times[-1] - unanswered_times[0] < 120  # of the 900 that it could have waited


def test_rows_that_cannot_be_carried_over_are_named_and_lost_only_if_accepted(
    site: Site, release: Callable[..., str]
) -> None:
    before = register_appeal(site, "oldin")
    former = current_release(site)
    folder = release("rewriting", migration=REWRITE_STATEMENT)
    upgrade = Upgrade(site, folder, "-e", "upgrade_wait=40")
    new_numbers = register_under_release(site, "rewriting", "uchinchi", "toʻrtinchi")
    output = upgrade.wait_for_output()
    assert upgrade.playbook_run.returncode
    assert f"not carried over, appeal: {', '.join(new_numbers)}" in output, output[-4000:]
    assert "rewriting stays in force" in output
    assert current_release(site).endswith("rewriting")
    wait_until(lambda: is_web_answering(site), 60, every=1)

    refused_run = site.run_playbook("rollback")
    assert refused_run.returncode
    assert current_release(site).endswith("rewriting")

    accepted_run = site.run_playbook("rollback", "-e", "rollback_accept_loss=true")
    assert accepted_run.returncode == 0, accepted_run.stdout[-4000:]
    assert ", ".join(new_numbers) in " ".join(accepted_run.stdout.split())
    assert current_release(site) == former
    rows = site.query_database(NUMBERS_QUERY)
    assert before in rows
    assert not [number for number in new_numbers if number in rows]
    assert _appeal_sequence(register_appeal(site, "keyin")) == _appeal_sequence(new_numbers[-1]) + 1
    assert f"{new_numbers[0]}" in site.machine.run_checked(
        f"{CURRENT_RELEASE_LINK}/bin/python -m appliance.core.sqlite "
        f"$(ls -t {DATABASE_PATH}.rolled-back-* | head -1) '{NUMBERS_QUERY}'"
    )
    assert site.run_playbook("rollback").returncode  # no upgrade is left to roll back


def test_a_working_release_is_put_in_force(site: Site, release: Callable[..., str]) -> None:
    folder = release("newer", {}, migration=NEW_TABLE_STATEMENT)
    asterisk_pid = main_pid_line(site, "asterisk")
    upgrade = Upgrade(site, folder)
    output = upgrade.wait_for_output()
    assert upgrade.playbook_run.returncode == 0, output[-4000:]
    assert current_release(site).endswith("newer")
    assert main_pid_line(site, "asterisk") == asterisk_pid
    second_run = site.run_playbook("upgrade", "-e", f"bundle_dir={folder}")
    assert recap_counts(second_run)["changed"] == 0, second_run.stdout[-4000:]


def test_an_older_bundle_is_refused_before_any_change(site: Site) -> None:
    """It is older than the accepted release; if named, its release lacks a migration."""
    name = site.machine.run_checked("cat /media/bundle/release").strip()
    accept_option = f"validate_accept={name}"
    for book in ("upgrade", "site"):
        playbook_run = site.run_playbook(book)
        assert playbook_run.returncode
        assert "it is older than 9.9.9-newer, which this box has accepted" in _output_line(
            playbook_run
        )
        assert recap_counts(playbook_run)["changed"] == 0
        playbook_run = site.run_playbook(book, "-e", accept_option)
        assert playbook_run.returncode
        assert "of a newer release, which made 0999_newer" in _output_line(playbook_run), (
            _output_line(playbook_run)[-4000:]
        )
        assert recap_counts(playbook_run)["changed"] == 0
    install_run = site.machine.run("sh", "/media/bundle/install")
    assert install_run.returncode
    assert "This bundle is refused: it is older than 9.9.9-newer" in install_run.stderr
    assert current_release(site).endswith("newer")


def test_an_older_release_is_accepted_by_name_and_audited(
    site: Site, release: Callable[..., str]
) -> None:
    """A bundle with the same schema and a lower version than the box has accepted."""
    folder = release(
        "older", {}, migration=NEW_TABLE_STATEMENT, migration_name="newer", version="9.8.0"
    )
    name = "9.8.0-older"
    playbook_run = site.run_playbook(
        "upgrade", "-e", f"bundle_dir={folder}", "-e", f"validate_accept={name}"
    )
    assert playbook_run.returncode == 0, playbook_run.stdout[-4000:]
    assert current_release(site) == name
    audit_rows = site.query_database(
        "SELECT action, subject FROM audit_entry WHERE action LIKE 'release.%'"
    )
    assert f"('release.accepted', '{name}')" in audit_rows
    assert f"('release.in_force', '{name}')" in audit_rows
    # the highest one
    assert "version: 9.9.9" in site.machine.run_checked("cat /etc/appliance/update")


def test_a_release_is_rolled_back_by_hand_without_losing_appeals(site: Site) -> None:
    """Works days later, too, with rollback.yml."""
    former, faults = current_release(site), audit_chain_faults(site)
    new_number = register_appeal(site, "beshinchi")
    playbook_run = site.run_playbook("rollback")
    assert playbook_run.returncode == 0, playbook_run.stdout[-4000:]
    assert current_release(site) != former
    assert new_number in site.query_database(NUMBERS_QUERY)
    assert audit_chain_faults(site) == faults


def _output_line(process: subprocess.CompletedProcess[str]) -> str:
    return " ".join(process.stdout.split())


def _appeal_sequence(number: str) -> int:
    return int(number.rpartition("-")[2])
