"""A bundle that is older than the box's, or has expired, is refused until its release is named."""

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from provisioning.box import bundle, freshness
from tests.rig.rendering import ROLES

SCRIPT = ROLES / "validate" / "files" / "freshness.sh"
DATE = 1_790_000_000
LATER = DATE + freshness.DAY_SECONDS


class Box:
    """A box with a bundle in its drive; it has accepted none yet."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.bundle = folder, folder / "bundle"
        self.known, self.force = folder / "known", folder / "current"
        self.bundle.mkdir()
        self.bring("0.3.0-aaaaaaaa")

    def bring(self, release: str, date: int = DATE) -> None:
        """Another bundle."""
        bundle.name_release(self.bundle, release, date)

    def look(self, *words: str, now: int = LATER) -> tuple[int, str]:
        files = {"KNOWN_UPDATE": str(self.known), "FORCE": str(self.force)}
        done = subprocess.run(
            ["sh", SCRIPT, self.bundle, *words],
            env={"PATH": "/usr/bin:/bin", "NOW": str(now), **files},
            capture_output=True,
            text=True,
        )
        assert not done.stderr
        return done.returncode, done.stdout.strip()


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    """Keys of its own."""
    monkeypatch.setenv("APPLIANCE_BUNDLE_KEY", str(tmp_path / "keys/bundle.key"))
    return Box(tmp_path)


@pytest.mark.parametrize(
    ("release", "date"),
    [
        ("0.2.9-ffffffff", LATER),  # a fix of an older version, made later
        ("0.3.0-ffffffff", DATE - 1),  # the same version, of older sources
        ("0.2.10-ffffffff", DATE),
    ],
)
def test_a_bundle_that_is_older_than_the_newest_accepted_is_refused(
    box: Box, release: str, date: int
) -> None:
    box.bring("0.2.11-bbbbbbbb" if release.startswith("0.2.10") else "0.3.0-aaaaaaaa")
    assert box.look("--accept")[0] == 0
    newest = box.known.read_text()
    box.bring(release, date)
    status, said = box.look()
    assert status == 1
    assert said.startswith("it is older than 0.")
    assert said.endswith(f"to use it all the same, name it: {release}")
    assert box.look("0.3.0-another")[0] == 1
    status, said = box.look(release)
    assert (status, said.partition(",")[0].startswith("it is older than")) == (3, True)
    assert box.look("--accept") == (0, "")
    assert box.known.read_text() == newest  # the highest one stays


@pytest.mark.parametrize(
    ("release", "date"),
    [("0.3.0-aaaaaaaa", DATE), ("0.3.0-cccccccc", LATER), ("0.10.0-dddddddd", DATE - 1)],
)
def test_the_same_and_a_newer_one_are_taken(box: Box, release: str, date: int) -> None:
    box.look("--accept")
    box.bring(release, date)
    assert box.look() == (0, "")
    box.look("--accept")
    assert f"release: {release}" in box.known.read_text()


def test_an_expired_one_is_refused_but_on_a_bare_box(box: Box) -> None:
    expired = DATE + freshness.VALID_DAYS * freshness.DAY_SECONDS + 1
    assert box.look(now=expired - 1) == (0, "")
    status, said = box.look(now=expired)
    assert (status, said.startswith("it has expired on ")) == (0, True)
    box.force.touch()
    status, said = box.look(now=expired)
    assert (status, said.startswith("it has expired on ")) == (1, True)
    assert box.look("0.3.0-aaaaaaaa", now=expired)[0] == 3


def test_what_it_says_of_itself_cannot_be_changed(box: Box) -> None:
    """The list of checksums is signed; `update` and `release` must fit it and each other."""
    update, release = box.bundle / "update", box.bundle / "release"
    box.look("--accept")
    box.bring("0.2.0-bbbbbbbb")
    update.write_text(box.known.read_text())
    assert box.look() == (
        1,
        "it does not say how new it is; make it with this release or a newer one",
    )
    release.write_text("0.3.0-aaaaaaaa\n")
    assert box.look()[0] == 1
    update.unlink()
    assert box.look()[0] == 1


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


def test_a_release_that_keeps_no_such_list_can_be_replaced_by_name(box: Box, tmp_path) -> None:
    """Release 0.2 has no `appliance release`: only the system's journal has the acceptance."""
    files = box.bundle / "ansible/roles/validate/files"
    files.mkdir(parents=True)
    (files / "signature.sh").write_text("echo me\n")
    shutil.copy(SCRIPT, files)
    box.look("--accept")
    box.bring("0.2.0-bbbbbbbb")
    box.force.touch()
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "appliance").write_text('#!/bin/sh\necho "No such command: $1" >&2; exit 2\n')
    (programs / "logger").write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/journal\n')
    for program in programs.iterdir():
        program.chmod(0o755)
    text = bundle._INSTALL.partition("mkdir -p")[0] + "echo goes on\n"
    install = box.bundle / "install"
    install.write_text(text.replace("/opt/appliance/current", str(box.force)))
    environment = {"PATH": f"{programs}:/usr/bin:/bin", "NOW": str(LATER)}
    environment |= {"KNOWN_UPDATE": str(box.known), "FORCE": str(box.force)}
    bundle.name_release(box.bundle, "0.2.0-bbbbbbbb", DATE)
    for words, status in (([], 1), (["0.2.0-bbbbbbbb"], 0)):
        done = subprocess.run(
            ["sh", install, *words], env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == status, done.stderr
    assert done.stdout.endswith("goes on\n")
    assert "accepted 0.2.0-bbbbbbbb" in (tmp_path / "journal").read_text()
    tasks = yaml.safe_load((ROLES / "validate/tasks/main.yml").read_text())
    [record] = [task for task in tasks if "record" in str(task.get("ansible.builtin.command"))]
    assert "validate_records.rc" in record["when"]
