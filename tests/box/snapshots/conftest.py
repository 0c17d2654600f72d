"""A small site with everything that a snapshot contains, and one snapshot of it."""

import hashlib
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from appliance.box.snapshots import creating
from appliance.core import clock, db, db_files
from appliance.core import settings as site_settings
from appliance.models import Call, Recording
from provisioning.local.settings_file import scratch_settings
from tests.box.snapshots.light import use_light_key
from tests.rig.once import build_once

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
    """A site in its own folder."""

    folder: Path

    @property
    def file(self) -> Path:
        """The settings file."""
        return self.folder / "site.toml"

    @property
    def settings(self) -> site_settings.Settings:
        """The parsed settings."""
        return site_settings.load_settings(self.file)

    def open(self) -> site_settings.Settings:
        """Open the database; returns the settings."""
        settings = self.settings
        db.open_database(settings.paths.database)
        return settings

    def run(self, *words: object, before: tuple[str, ...] = ()) -> subprocess.CompletedProcess[str]:
        """Run an appliance command in a separate process."""
        return subprocess.run(
            [*before, PROGRAM, "--config", self.file, *map(str, words)],
            capture_output=True,
            text=True,
            check=False,
        )

    def start(self, *words: object) -> subprocess.Popen[bytes]:
        """Start an appliance command in the background."""
        command = [PROGRAM, "--config", self.file, *map(str, words)]
        return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def fingerprint(self) -> dict[str, str]:
        """The hash of every file of the site, without working files of restic and restores."""
        return {
            str(path.relative_to(self.folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file()
            and not {"repository", "backups", ".restore-site"} & set(path.parts)
            and not path.name.endswith(("-shm", "-wal", "-journal"))
        }

    def packs(self) -> list[Path]:
        """The pack files of the repository, the largest first."""
        pack_files = (self.folder / "repository" / "data").rglob("*")
        return sorted((p for p in pack_files if p.is_file()), key=lambda p: -p.stat().st_size)


@pytest.fixture(scope="session")
def saved(tmp_path_factory: pytest.TempPathFactory, peopled: Path) -> Site:
    """A site with one snapshot, to be copied by the tests."""
    return Site(build_once(tmp_path_factory, "saved", lambda folder: _save_site(folder, peopled)))


def _save_site(folder: Path, peopled: Path) -> None:
    site = Site(folder)
    text = scratch_settings(
        web={"bind": "127.9.8.1:8000", "secret_key": "secret of the tests"},
        backups=[{"name": "disk", "url": "repository", "password_file": "repository.key"}],
        snapshots={"replica": "replica"},
    )
    site.file.write_text(text)
    shutil.copy(peopled, site.folder / "site.db")
    for number, (name, size) in enumerate(FILES.items()):
        path = site.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(incompressible_bytes(size, number))
    settings = site.open()
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
    creating.prepare_repositories(settings)
    use_light_key(folder / "repository", folder / "repository.key")
    [snapshot] = creating.create_snapshots(settings, by="rustam")
    assert snapshot.manifest.counts == {"calls": 3, "appeals": 0, "recordings": 1}
    db.database.close()
    db_files.merge_write_ahead_log(settings.paths.database)


@pytest.fixture
def site(tmp_path: Path, saved: Site) -> Iterator[Site]:
    """A copy of the saved site, which a test may damage."""
    shutil.copytree(saved.folder, tmp_path, dirs_exist_ok=True)
    yield Site(tmp_path)
    db.database.close()


def incompressible_bytes(size: int, seed: int) -> bytes:
    """Bytes that do not compress, the same for each seed."""
    return hashlib.shake_128(f"{seed}".encode()).digest(size)
