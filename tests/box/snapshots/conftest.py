"""A small site with everything that a snapshot takes, and one snapshot of it."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.box import snapshots
from appliance.core import clock, db, db_files
from appliance.core import settings as site_settings
from appliance.models import Call, Recording
from provisioning.local.settings_file import scratch
from tests.box.snapshots.light import lighten
from tests.rig.once import made_once

PROGRAM = Path(sys.executable).with_name("appliance")
FILES = {
    "recordings/2026/11/one.wav": 300_000,
    "recordings/2026/11/two [2].ogg": 200_000,
    "prompts/uz/menu.wav": 50_000,
    "issued/monthly.pdf": 60_000,
    "asterisk/pjsip.conf": 500,
}


@dataclass(frozen=True)
class Site:
    """A site in a folder."""

    folder: Path

    @property
    def file(self) -> Path:
        """Its settings file."""
        return self.folder / "site.toml"

    @property
    def settings(self) -> site_settings.Settings:
        """Its settings."""
        return site_settings.load(self.file)

    def open(self) -> site_settings.Settings:
        """The settings, with the database open."""
        found = self.settings
        db.open_database(found.paths.database)
        return found

    def run(self, *words: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """One of our commands, in a process of its own."""
        return subprocess.run(
            [*before, PROGRAM, "--config", self.file, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *words: object) -> subprocess.Popen[bytes]:
        """The same, without waiting for it."""
        command = [PROGRAM, "--config", self.file, *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fingerprint(self) -> dict[str, str]:
        """Every file of the running site and its hash; not what restic and restores work with."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and not {"repository", "backups", ".restore-site"} & set(path.parts)
            and not path.name.endswith(("-shm", "-wal", "-journal"))
        }

    def packs(self) -> list[Path]:
        """The repository's files with content, the largest first."""
        found = (self.folder / "repository" / "data").rglob("*")
        return sorted((p for p in found if p.is_file()), key=lambda p: -p.stat().st_size)


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> Site:
    """A site of which there is one snapshot; to be copied."""
    return Site(made_once(tmp_path_factory, "saved", lambda folder: _save(folder, peopled)))


def _save(folder: Path, peopled: Path) -> None:
    site = Site(folder)
    text = scratch(
        web={"bind": "127.9.8.1:8000", "secret_key": "secret of the tests"},
        backups=[{"name": "disk", "url": "repository", "password_file": "repository.key"}],
        snapshots={"replica": "replica"},
    )
    site.file.write_text(text)
    shutil.copy(peopled, site.folder / "site.db")
    for number, (name, size) in enumerate(FILES.items()):
        path = site.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(noise(size, number))
    made = site.open()
    for number in range(3):
        Call.create(
            id=f"hotline-{number}.0",
            direction="inbound",
            arrived_at=clock.now(),
            ended_at=clock.now(),
            stage="ended",
            outcome="answered",
        )
    Recording.create(file="2026/11/one.wav", call_id="hotline-0.0", seconds=9.0)
    snapshots.prepare(made)
    lighten(folder / "repository", folder / "repository.key")
    [done] = snapshots.create(made, by="rustam")
    assert done.manifest.counts == {"calls": 3, "appeals": 0, "recordings": 1}
    db.database.close()
    db_files.fold_in(made.paths.database)


@pytest.fixture
def site(tmp_path: Path, saved: Site) -> Iterator[Site]:
    """A copy of it, to be broken."""
    shutil.copytree(saved.folder, tmp_path, dirs_exist_ok=True)
    yield Site(tmp_path)
    db.database.close()


def noise(size: int, seed: int) -> bytes:
    """Bytes that do not compress, always the same."""
    return hashlib.shake_128(f"{seed}".encode()).digest(size)
