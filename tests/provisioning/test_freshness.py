"""A bundle that is older than the box's, or expired, is refused until its release is named."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from provisioning.box import bundle, freshness
from tests.rig.rendering import ROLES

SCRIPT = ROLES / "validate" / "files" / "freshness.sh"
RELEASE_TIME = 1_790_000_000
ONE_DAY_LATER = RELEASE_TIME + freshness.DAY_SECONDS


class Box:
    """A box with a bundle in its drive; it has not accepted any bundle yet."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bundle = folder, folder / "bundle"
        self.accepted_file, self.current_release = folder / "known", folder / "current"
        self.bundle.mkdir()
        self.insert_bundle("0.3.0-aaaaaaaa")

    def insert_bundle(self, release: str, date: int = RELEASE_TIME) -> None:
        """Replace the bundle by another release."""
        bundle.finish_release(self.bundle, release, date)

    def check_bundle(self, *arguments: str, now: int = ONE_DAY_LATER) -> tuple[int, str]:
        files = {"KNOWN_UPDATE": str(self.accepted_file), "FORCE": str(self.current_release)}
        process = subprocess.run(
            ["sh", SCRIPT, self.bundle, *arguments],
            env={"PATH": "/usr/bin:/bin", "NOW": str(now), **files},
            capture_output=True,
            text=True,
        )
        assert not process.stderr
        return process.returncode, process.stdout.strip()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """A box with a bundle key of its own."""
    monkeypatch.setenv("APPLIANCE_BUNDLE_KEY", str(tmp_path / "keys/bundle.key"))
    return Box(tmp_path)


@pytest.mark.parametrize(
    ("release", "date"),
    [
        ("0.2.9-ffffffff", ONE_DAY_LATER),  # a fix of an older version, released later
        ("0.3.0-ffffffff", RELEASE_TIME - 1),  # the same version, from older sources
        ("0.2.10-ffffffff", RELEASE_TIME),
    ],
)
def test_a_bundle_that_is_older_than_the_newest_accepted_is_refused(
    box: Box, release: str, date: int
) -> None:
    box.insert_bundle("0.2.11-bbbbbbbb" if release.startswith("0.2.10") else "0.3.0-aaaaaaaa")
    assert box.check_bundle("--accept")[0] == 0
    newest = box.accepted_file.read_text()
    box.insert_bundle(release, date)
    status, message = box.check_bundle()
    assert status == 1
    assert message.startswith("it is older than 0.")
    assert message.endswith(f"to use it all the same, name it: {release}")
    assert box.check_bundle("0.3.0-another")[0] == 1
    status, message = box.check_bundle(release)
    assert (status, message.partition(",")[0].startswith("it is older than")) == (3, True)
    assert box.check_bundle("--accept") == (0, "")
    assert box.accepted_file.read_text() == newest  # the newest one remains recorded


@pytest.mark.parametrize(
    ("release", "date"),
    [
        ("0.3.0-aaaaaaaa", RELEASE_TIME),
        ("0.3.0-cccccccc", ONE_DAY_LATER),
        ("0.10.0-dddddddd", RELEASE_TIME - 1),
    ],
)
def test_the_same_and_a_newer_bundle_are_accepted(box: Box, release: str, date: int) -> None:
    box.check_bundle("--accept")
    box.insert_bundle(release, date)
    assert box.check_bundle() == (0, "")
    box.check_bundle("--accept")
    assert f"release: {release}" in box.accepted_file.read_text()


def test_an_expired_bundle_is_refused_except_on_an_empty_box(box: Box) -> None:
    expired = RELEASE_TIME + freshness.VALID_DAYS * freshness.DAY_SECONDS + 1
    assert box.check_bundle(now=expired - 1) == (0, "")
    status, message = box.check_bundle(now=expired)
    assert (status, message.startswith("it has expired on ")) == (0, True)
    box.current_release.touch()
    status, message = box.check_bundle(now=expired)
    assert (status, message.startswith("it has expired on ")) == (1, True)
    assert box.check_bundle("0.3.0-aaaaaaaa", now=expired)[0] == 3


def test_a_bundles_own_description_cannot_be_changed(box: Box) -> None:
    """The list of checksums is signed; `update` and `release` must agree with it and each other."""
    update, release = box.bundle / "update", box.bundle / "release"
    box.check_bundle("--accept")
    box.insert_bundle("0.2.0-bbbbbbbb")
    update.write_text(box.accepted_file.read_text())
    assert box.check_bundle() == (
        1,
        "it does not say how new it is; make it with this release or a newer one",
    )
    release.write_text("0.3.0-aaaaaaaa\n")
    assert box.check_bundle()[0] == 1
    update.unlink()
    assert box.check_bundle()[0] == 1


def test_the_date_comes_from_the_sources(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1234")
    assert freshness.source_date(tmp_path) == 1234
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    with pytest.raises(ValueError, match="set SOURCE_DATE_EPOCH"):
        freshness.source_date(tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.uz"]
    subprocess.run([*git, "init", "-q"], check=True)
    dated = {"GIT_COMMITTER_DATE": "@5678 +0500", "PATH": "/usr/bin:/bin"}
    subprocess.run([*git, "commit", "-qm", "a", "--allow-empty"], check=True, env=dated)
    assert freshness.source_date(tmp_path) == 5678


def test_a_release_without_a_release_command_can_be_replaced_by_name(box: Box, tmp_path) -> None:
    """Release 0.2 has no `appliance release`: only the system's journal records the acceptance."""
    files = box.bundle / "ansible/roles/validate/files"
    files.mkdir(parents=True)
    (files / "signature.sh").write_text("echo me\n")
    shutil.copy(SCRIPT, files)
    box.check_bundle("--accept")
    box.insert_bundle("0.2.0-bbbbbbbb")
    box.current_release.touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "appliance").write_text('#!/bin/sh\necho "No such command: $1" >&2; exit 2\n')
    (programs / "logger").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/journal\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    text = bundle._INSTALL_SCRIPT.partition("mkdir -p")[0] + "echo goes on\n"
    install = box.bundle / "install"
    install.write_text(text.replace("/opt/appliance/current", str(box.current_release)))
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "NOW": str(ONE_DAY_LATER)}
    environment |= {"KNOWN_UPDATE": str(box.accepted_file), "FORCE": str(box.current_release)}
    bundle.finish_release(box.bundle, "0.2.0-bbbbbbbb", RELEASE_TIME)
    for arguments, status in (([], 1), (["0.2.0-bbbbbbbb"], 0)):
        process = subprocess.run(
            ["sh", install, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert process.returncode == status, process.stderr
    assert process.stdout.endswith("goes on\n")
    assert "accepted 0.2.0-bbbbbbbb" in (tmp_path / "journal").read_text()
    tasks = yaml.safe_load((ROLES / "validate/tasks/main.yml").read_text())
    [record] = [task for task in tasks if "record" in str(task.get("ansible.builtin.command"))]
    assert "validate_records.rc" in record["when"]
