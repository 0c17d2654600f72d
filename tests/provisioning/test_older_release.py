"""The bundle of an older release is refused on a box whose database a newer one has migrated."""

import subprocess
import zipfile
from pathlib import Path

import pytest

from appliance.core import db, schema
from appliance.core.settings import Settings
from tests.rig.rendering import ROLES

SCRIPT = ROLES / "validate" / "files" / "schema.py"


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A minimal bundle of this release."""
    wheels = tmp_path / "bundle" / "wheels"
    wheels.mkdir(parents=True)
    write_wheel(wheels, [file.name for file in schema.MIGRATIONS.glob("*.py")])
    return tmp_path / "bundle"


def write_wheel(wheels: Path, migrations: list[str]) -> None:
    with zipfile.ZipFile(wheels / "appliance-1-py3-none-any.whl", "w") as wheel:
        for name in migrations:
            wheel.writestr(f"appliance/migrations/{name}", "")


def compare_schema(bundle: Path, database: Path) -> tuple[int, str]:
    process = subprocess.run(
        ["/usr/bin/python3", "-I", SCRIPT, bundle, database], capture_output=True, text=True
    )
    assert not process.stderr
    return process.returncode, process.stdout.strip()


def test_the_same_or_a_newer_release_and_an_empty_box_are_accepted(
    bundle: Path, settings: Settings, tmp_path: Path
) -> None:
    assert compare_schema(bundle, settings.paths.database) == (0, "")
    assert compare_schema(bundle, tmp_path / "none.db") == (0, "")
    newer = [file.name for file in schema.MIGRATIONS.glob("*.py")]
    write_wheel(bundle / "wheels", [*newer, "9998_newer.py"])
    assert compare_schema(bundle, settings.paths.database) == (0, "")


def test_an_older_release_is_refused_and_the_migration_named(
    bundle: Path, settings: Settings
) -> None:
    db.database.execute_sql(
        "INSERT INTO schema_migration (name, applied) VALUES ('9998_newer', '2026-12-01')"
    )
    message = "the box's database is of a newer release, which made 9998_newer."
    status, output = compare_schema(bundle, settings.paths.database)
    assert status == 1
    assert output.startswith(message)


def test_a_database_that_lacks_the_first_migration_is_refused(
    bundle: Path, settings: Settings
) -> None:
    first_name = min(file.stem for file in schema.MIGRATIONS.glob("[0-9]*.py"))
    db.database.execute_sql("DELETE FROM schema_migration WHERE name >= ?", (first_name,))
    message = "the box's database is of a release before 0.2.0. Install release 0.3.0 first"
    assert compare_schema(bundle, settings.paths.database) == (1, message)


def test_a_damaged_database_and_an_empty_bundle_are_refused(
    bundle: Path, settings: Settings, tmp_path: Path
) -> None:
    (tmp_path / "damaged.db").write_bytes(b"no database" * 1000)
    assert compare_schema(bundle, tmp_path / "damaged.db")[0] == 1
    next(bundle.glob("wheels/*")).unlink()
    assert "holds no release" in compare_schema(bundle, settings.paths.database)[1]
