"""Settings with keys of every kind are unchanged in a snapshot."""

import datetime as dt
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.box import health
from appliance.box.snapshots import contents, creating, log, reading, settings_files, verifying
from appliance.box.snapshots.errors import SnapshotError
from provisioning.local import settings_file

MINISTRY_ACTIONS = {
    "Жавоб берилди": "answer",
    "1.2": "close",
    "ёпилди": "close",
    'a "b" = c': "reopen",
}
NAMES = st.text(max_size=8) | st.sampled_from(
    [*MINISTRY_ACTIONS, "", "#", "a.b", "'", '"', "\n", "[a]"]
)
SCALARS = (
    st.text(max_size=20)
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.dates(dt.date(1000, 1, 1))
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=4)


def open_with_ministry_actions(site):
    """Open the site with settings whose keys are words of the ministry's system."""
    document = settings_files.read_toml(site.file)
    document["ministry"] = {
        "url": "https://localhost/",
        "token": "token",
        "actions": MINISTRY_ACTIONS,
    }
    site.file.write_text(settings_file.toml_text(document))
    return site.open()


def test_ministry_words_survive_a_snapshot_and_its_drill(site) -> None:
    settings = open_with_ministry_actions(site)
    [created] = creating.create_snapshots(settings)
    restic = reading.open_repository(settings)
    carried = reading.read_settings(restic, created.snapshot)
    assert carried == settings_files.blank_secrets(settings_files.read_toml(site.file))
    assert (carried["ministry"]["actions"], carried["ministry"]["token"]) == (MINISTRY_ACTIONS, "")
    assert verifying.verify_snapshot(settings).id == created.snapshot.id
    assert verifying.run_restore_drill(settings).snapshot == created.snapshot.id


def test_unreadable_settings_are_found_by_verification_and_by_the_drill(site) -> None:
    settings = site.open()
    restic = reading.open_repository(settings)
    with contents.staging_folder(settings, contents.ignore_progress) as stage:
        manifest = contents.write_manifest(settings, stage)
        (stage / contents.SETTINGS_FILE).write_text("[ministry.actions]\nЖавоб берилди = 1\n")
        creating._run_backup(restic, stage, manifest, contents.ignore_progress)
    for kind, look in (
        ("verify", verifying.verify_snapshot),
        ("drill", verifying.run_restore_drill),
    ):
        with pytest.raises(SnapshotError, match="settings in .* cannot be read") as error:
            look(settings)
        assert error.value.code == "damaged"
        assert (log.latest_snapshot_run(kind).state, log.latest_snapshot_run(kind).trouble) == (
            "failed",
            "damaged",
        )
    [drill] = (check for check in health.all_checks(settings) if check.code == "drill")
    assert drill.state == "fail"


def test_a_snapshot_with_altered_settings_is_discarded(site, monkeypatch) -> None:
    settings = site.open()
    before = {snapshot.id for snapshot in reading.list_snapshots(reading.open_repository(settings))}
    monkeypatch.setattr(settings_files.tomli_w, "dumps", lambda settings: 'a = "else"\n')
    with pytest.raises(SnapshotError) as error:
        creating.create_snapshots(settings)
    assert error.value.code == "damaged"
    assert {
        snapshot.id for snapshot in reading.list_snapshots(reading.open_repository(settings))
    } == before


@given(TABLES)
def test_written_settings_are_read_back_unchanged(tmp_path_factory, tables) -> None:
    file = Path(tmp_path_factory.getbasetemp()) / "carried.toml"
    settings_files.write_toml(file, tables)
    assert settings_files.read_toml(file) == tables


@given(TABLES)
def test_the_file_of_a_local_site_is_read_back_unchanged(tables) -> None:
    assert tomllib.loads(settings_file.toml_text(tables)) == tables
