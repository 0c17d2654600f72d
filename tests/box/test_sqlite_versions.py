"""A SQLite that loses changes is seen, whichever process works with it."""

import contextlib
import dataclasses
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from appliance.box import processes
from appliance.box.health import sqlite_versions
from appliance.box.snapshots import continuous
from appliance.core import sqlite
from appliance.core.settings import Settings

_OPEN = "connection.execute('SELECT 1 FROM user').fetchall(); print('open', flush=True); input()"


def fault(settings: Settings) -> str:
    """What the check of the processes reports; "" when it finds nothing wrong."""
    [check] = sqlite_versions.versions(settings)
    assert bool(check.advice) == (check.state == "fail")
    return "" if check.state == "ok" else check.seen.format(**check.values)


def of_litestream(settings: Settings) -> tuple[str, str]:
    [check] = sqlite_versions.litestream(settings)
    assert bool(check.advice) == (check.state == "fail")
    return check.state, check.seen.format(**check.values)


@contextlib.contextmanager
def program(settings: Settings, python: str, module: str) -> Iterator[int]:
    """Another program that has the database open, by its process."""
    code = f"from {module}; connection = sqlite.connect({str(settings.paths.database)!r})"
    with subprocess.Popen(
        [python, "-c", f"{code}; {_OPEN}"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "open\n"
        yield process.pid
        process.stdin.write("\n")


@pytest.mark.parametrize(
    ("version", "safe"),
    [
        ("3.46.1", False),
        ("3.51.2", False),
        ("3.51.3", True),
        ("3.53.4", True),
        ("4.0.0", True),
        ("3.50.6", False),
        ("3.50.7", True),
        ("3.44.5", False),
        ("3.44.6", True),
        ("3.45.0", False),
        ("", False),
        ("newest", False),
    ],
)
def test_which_versions_are_safe(version: str, safe: bool) -> None:
    assert sqlite.is_safe(version) is safe


def test_our_own_is_safe_and_every_process_reports_it(settings: Settings) -> None:
    for name in processes.OURS:
        processes.begin(settings, name)
    signs = [sign for found in processes.living(settings).values() for sign in found]
    assert [sign.sqlite for sign in signs] == [sqlite.version] * 3
    assert fault(settings) == ""


@pytest.mark.parametrize(("reported", "named"), [("3.46.1", "pbx 3.46.1"), (None, "pbx ?")])
def test_a_process_with_an_old_one(settings: Settings, reported: str | None, named: str) -> None:
    """That of a former release reports none."""
    processes.begin(settings, "web")
    processes.begin(settings, "pbx")
    [file] = (settings.asterisk.run / "signs").glob("pbx.*")
    sign = json.loads(file.read_text("ascii"))
    del sign["sqlite"]
    file.write_text(json.dumps(sign | ({"sqlite": reported} if reported else {})), "ascii")
    assert fault(settings).endswith(f": {named}")


def test_the_process_that_looks_has_an_old_one(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "version", "3.51.2")
    assert fault(settings).endswith(": appliance 3.51.2")


def test_another_program_that_has_the_database_open(settings: Settings) -> None:
    debian = "/usr/bin/python3"
    ask = [debian, "-c", "import sqlite3; print(sqlite3.sqlite_version)"]
    version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    assert not sqlite.is_safe(version)
    with program(settings, debian, "sqlite3 import dbapi2 as sqlite") as pid:
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
        assert fault(settings).endswith(f": {comm} ({pid}) {version}")
    assert fault(settings) == ""


def test_a_command_of_ours_that_has_the_database_open(settings: Settings) -> None:
    with program(settings, sys.executable, "appliance.core import db, sqlite") as pid:
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "libsqlite3.so" in maps  # peewee loads Debian's, too
        assert fault(settings) == ""


def test_the_one_of_litestream(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(sqlite_versions.litestream(settings)) == []  # nothing runs it
    snapshots = dataclasses.replace(settings.snapshots, replica=str(tmp_path))
    site = dataclasses.replace(settings, snapshots=snapshots)
    state, seen = of_litestream(site)
    assert (state, sqlite.is_safe(seen)) == ("ok", True)
    for content, version in ((b"\0old\0003.51.2\0\0", "3.51.2"), (b"\0none\0", "?")):
        other = tmp_path / "litestream"
        other.write_bytes(content)
        os.utime(other, ns=(0, len(version)))
        monkeypatch.setattr(continuous, "program", lambda other=other: str(other))
        state, seen = of_litestream(site)
        assert (state, seen.rpartition(" ")[2]) == ("fail", version)
