"""A SQLite version that may lose changes is reported, whichever process uses it."""

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

_OPEN_DATABASE_CODE = (
    "connection.execute('SELECT 1 FROM user').fetchall(); print('open', flush=True); input()"
)


def process_fault(settings: Settings) -> str:
    """The text of the processes check; "" when it finds nothing wrong."""
    [check] = sqlite_versions.check_process_versions(settings)
    assert bool(check.advice) == (check.state == "fail")
    return "" if check.state == "ok" else check.seen.format(**check.values)


def litestream_state(settings: Settings) -> tuple[str, str]:
    [check] = sqlite_versions.check_litestream_version(settings)
    assert bool(check.advice) == (check.state == "fail")
    return check.state, check.seen.format(**check.values)


@contextlib.contextmanager
def open_in_program(settings: Settings, python: str, module: str) -> Iterator[int]:
    """Another program that has the database open; yields its process id."""
    code = f"from {module}; connection = sqlite.connect({str(settings.paths.database)!r})"
    with subprocess.Popen(
        [python, "-c", f"{code}; {_OPEN_DATABASE_CODE}"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
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
def test_unsafe_versions_are_recognised(version: str, safe: bool) -> None:
    assert sqlite.is_safe_version(version) is safe


def test_our_own_version_is_safe_and_every_process_reports_it(settings: Settings) -> None:
    for name in processes.PROCESS_NAMES:
        processes.register_process(settings, name)
    signs = [
        sign
        for process_signs in processes.running_processes(settings).values()
        for sign in process_signs
    ]
    assert [sign.sqlite for sign in signs] == [sqlite.version] * 3
    assert process_fault(settings) == ""


@pytest.mark.parametrize(("reported", "description"), [("3.46.1", "pbx 3.46.1"), (None, "pbx ?")])
def test_a_process_with_an_unsafe_version_is_reported(
    settings: Settings, reported: str | None, description: str
) -> None:
    """A process of an earlier release reports no version."""
    processes.register_process(settings, "web")
    processes.register_process(settings, "pbx")
    [file] = (settings.asterisk.run / "signs").glob("pbx.*")
    sign = json.loads(file.read_text("ascii"))
    del sign["sqlite"]
    file.write_text(json.dumps(sign | ({"sqlite": reported} if reported else {})), "ascii")
    assert process_fault(settings).endswith(f": {description}")


def test_an_unsafe_version_of_the_checking_process_is_reported(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sqlite, "version", "3.51.2")
    assert process_fault(settings).endswith(": appliance 3.51.2")


def test_another_program_that_has_the_database_open_is_reported(settings: Settings) -> None:
    debian = "/usr/bin/python3"
    ask = [debian, "-c", "import sqlite3; print(sqlite3.sqlite_version)"]
    version = subprocess.run(ask, capture_output=True, text=True, check=True).stdout.strip()
    assert not sqlite.is_safe_version(version)
    with open_in_program(settings, debian, "sqlite3 import dbapi2 as sqlite") as pid:
        comm = Path(f"/proc/{pid}/comm").read_text().strip()
        assert process_fault(settings).endswith(f": {comm} ({pid}) {version}")
    assert process_fault(settings) == ""


def test_an_appliance_command_that_has_the_database_open_is_safe(settings: Settings) -> None:
    with open_in_program(settings, sys.executable, "appliance.core import db, sqlite") as pid:
        maps = Path(f"/proc/{pid}/maps").read_text()
        assert "libsqlite3.so" in maps  # peewee also loads the library of Debian
        assert process_fault(settings) == ""


def test_the_version_of_litestream_is_checked(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(sqlite_versions.check_litestream_version(settings)) == []  # nothing runs it
    snapshots = dataclasses.replace(settings.snapshots, replica=str(tmp_path))
    site = dataclasses.replace(settings, snapshots=snapshots)
    state, text = litestream_state(site)
    assert (state, sqlite.is_safe_version(text)) == ("ok", True)
    for content, version in ((b"\0old\0003.51.2\0\0", "3.51.2"), (b"\0none\0", "?")):
        replaced_program = tmp_path / "litestream"
        replaced_program.write_bytes(content)
        os.utime(replaced_program, ns=(0, len(version)))
        monkeypatch.setattr(
            continuous, "litestream_program", lambda other=replaced_program: str(other)
        )
        state, text = litestream_state(site)
        assert (state, text.rpartition(" ")[2]) == ("fail", version)
