"""The bundle of an older release is refused on a box whose database a newer one has made."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from appliance.core import db
from appliance.core.settings import Settings
from tests.rig.rendering import ROLES

SCRIPT = ROLES / "validate" / "files" / "schema.py"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle in small, of this release."""
    wheels = tmp_path / "bundle" / "wheels"
    wheels.mkdir(parents=True)
    pack(wheels, [file.name for file in db.MIGRATIONS.glob("*.py")])
    return tmp_path / "bundle"


def pack(wheels: Path, migrations: list[str]) -> None:
    with zipfile.ZipFile(wheels / "appliance-1-py3-none-any.whl", "w") as wheel:
        for name in migrations:
            wheel.writestr(f"appliance/migrations/{name}", "")


def compare(bundle: Path, database: Path) -> tuple[int, str]:
    done = subprocess.run(
        ["/usr/bin/python3", "-I", SCRIPT, bundle, database], capture_output=True, text=True
    )
    assert not done.stderr
    return done.returncode, done.stdout.strip()


def test_the_same_release_a_newer_one_and_a_bare_box_pass(
    bundle: Path, settings: Settings, tmp_path: Path
) -> None:
    assert compare(bundle, settings.paths.database) == (0, "")
    assert compare(bundle, tmp_path / "none.db") == (0, "")
    newer = [file.name for file in db.MIGRATIONS.glob("*.py")]
    pack(bundle / "wheels", [*newer, "9998_newer.py"])
    assert compare(bundle, settings.paths.database) == (0, "")


def test_an_older_release_is_refused_and_the_migration_named(
    bundle: Path, settings: Settings
) -> None:
    db.database.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9998_newer', '2026-12-01')"
    )
    said = "the box's database is of a newer release, which made 9998_newer"
    assert compare(bundle, settings.paths.database) == (1, said)


def test_what_cannot_be_compared_is_refused(
    bundle: Path, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "damaged.db").write_bytes(b"no database" * 1000)
    assert compare(bundle, tmp_path / "damaged.db")[0] == 1
    next(bundle.glob("wheels/*")).unlink()
    assert "holds no release" in compare(bundle, settings.paths.database)[1]
