"""Settings with keys of every kind come out of a snapshot as they went in."""

import datetime as dt
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.box import health, snapshots
from appliance.box.snapshots import SnapshotError, contents, creating, log, reading, toml
from provisioning.local import settings_file

OWN = {"Жавоб берилди": "answer", "1.2": "close", "ёпилди": "close", 'a "b" = c': "reopen"}
NAMES = st.text(max_size=8) | st.sampled_from([*OWN, "", "#", "a.b", "'", '"', "\n", "[a]"])
PLAIN = (
    st.text(max_size=20)
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.dates(dt.date(1000, 1, 1))
)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
TABLES = st.dictionaries(NAMES, VALUES, max_size=4)


def with_own_words(site):
    """The site's settings, with words of the ministry's system as keys."""
    made = toml.read(site.file)
    made["ministry"] = {"url": "https://localhost/", "token": "token", "actions": OWN}
    site.file.write_text(settings_file.written(made))
    return site.open()


def test_words_of_the_ministry_come_through_a_snapshot_and_its_drill(site) -> None:
    settings = with_own_words(site)
    [made] = snapshots.create(settings)
    restic = reading.repository(settings)
    carried = reading.settings_in(restic, made.snapshot)
    assert carried == toml.without_secrets(toml.read(site.file))
    assert (carried["ministry"]["actions"], carried["ministry"]["token"]) == (OWN, "")
    assert snapshots.verify(settings).id == made.snapshot.id
    assert snapshots.drill(settings).snapshot == made.snapshot.id


def test_settings_that_cannot_be_read_are_found_by_verifying_and_by_the_drill(site) -> None:
    settings = site.open()
    restic = reading.repository(settings)
    with contents.staged(settings, contents.nothing) as stage:
        manifest = contents.describe(settings, stage)
        (stage / contents.SETTINGS).write_text("[ministry.actions]\nЖавоб берилди = 1\n")
        creating._backup(restic, stage, manifest, contents.nothing)
    for kind, look in (("verify", snapshots.verify), ("drill", snapshots.drill)):
        with pytest.raises(SnapshotError, match="settings in .* cannot be read") as error:
            look(settings)
        assert error.value.code == "damaged"
        assert (log.latest(kind).state, log.latest(kind).trouble) == ("failed", "damaged")
    [drill] = (check for check in health.checks(settings) if check.code == "drill")
    assert drill.state == "fail"


def test_a_snapshot_whose_settings_are_not_those_put_in_is_none(site, monkeypatch) -> None:
    settings = site.open()
    before = {one.id for one in reading.snapshots(reading.repository(settings))}
    monkeypatch.setattr(toml.tomli_w, "dumps", lambda settings: 'a = "else"\n')
    with pytest.raises(SnapshotError) as error:
        snapshots.create(settings)
    assert error.value.code == "damaged"
    assert {one.id for one in reading.snapshots(reading.repository(settings))} == before


@given(TABLES)
def test_what_is_written_is_what_is_read(tmp_path_factory, tables) -> None:
    file = Path(tmp_path_factory.getbasetemp()) / "carried.toml"
    toml.write(file, tables)
    assert toml.read(file) == tables


@given(TABLES)
def test_the_file_of_a_local_site_too(tables) -> None:
    assert tomllib.loads(settings_file.written(tables)) == tables
