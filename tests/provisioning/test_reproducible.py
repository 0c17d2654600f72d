"""The same sources give the same bundle, bit by bit, wherever and whenever it is built."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from provisioning.box import bundle, freshness

DATE = 1_790_000_000
BUILD = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[3], 8))
from provisioning.box import bundle
folder = Path(sys.argv[1])
folder.mkdir(parents=True)
bundle.make_own_parts(folder, int(sys.argv[2]))
bundle.name_release(folder, bundle.release(), int(sys.argv[2]))
"""
SOURCES = ("appliance", "docs", "ivr", "backups", "provisioning", "setup.cfg", "pyproject.toml")
FILES = ("README.md", "LICENSE", "package-lock.json", "requirements.lock")


def copy_sources(into: Path, *, backwards: bool, mode: int) -> None:
    """The sources as another person has them: other order, modes, times, and left-overs."""
    names = sorted([*SOURCES, *FILES], reverse=backwards)
    into.mkdir(parents=True)
    for name in names:
        source = bundle.TOP / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("site.ini"))
        else:
            shutil.copy(source, into / name)
    for number, file in enumerate(sorted(into.rglob("*"), reverse=backwards)):
        file.chmod(mode | (0o711 if file.is_dir() else 0))
        os.utime(file, (1_000_000_000 + number, 1_000_000_000 + number))
    left = into / "provisioning/ansible/roles/validate/filter_plugins/__pycache__"
    left.mkdir(exist_ok=True)
    (left / f"{into.parent.name}.pyc").write_text(str(into))


def build(folder: Path, *, umask: str, backwards: bool, mode: int, **environment: str) -> Path:
    """A bundle's own parts, made in a copy of the sources by a process of its own."""
    top = folder / "sources"
    copy_sources(top, backwards=backwards, mode=mode)
    subprocess.run(
        [sys.executable, "-c", BUILD, folder / "bundle", str(DATE), umask],
        cwd=top,
        env={
            **os.environ,
            "PYTHONPATH": str(top),
            "PYTHONDONTWRITEBYTECODE": "1",
            "APPLIANCE_CACHE": str(folder / "cache"),
            "APPLIANCE_BUNDLE_KEY": str(folder.parent / "bundle.key"),
            **environment,
        },
        check=True,
        capture_output=True,
    )
    return folder / "bundle"


def contents(folder: Path) -> dict[str, tuple[str, str]]:
    """Every file with its mode and hash; of a wheel each member, too."""
    found = {}
    for file in sorted(folder.rglob("*")):
        name, mode = str(file.relative_to(folder)), oct(file.stat().st_mode)
        found[name] = (mode, "" if file.is_dir() else sum_of(file.read_bytes()))
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as wheel:
                for one in wheel.infolist():
                    facts = (one.date_time, oct(one.external_attr), sum_of(wheel.read(one)))
                    found[f"{name}/{one.filename}"] = (str(facts), "")
    return found


def sum_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def differences(one: Path, other: Path) -> list[str]:
    """The names of files that are not the same in both."""
    here, there = contents(one), contents(other)
    names = sorted({*here, *there})
    return [name for name in names if here.get(name) != there.get(name)]


def test_two_builds_are_identical(tmp_path: Path) -> None:
    """In other folders, orders, modes, umasks, locales, time zones and at another time."""
    first = build(
        tmp_path / "a", umask="022", backwards=False, mode=0o644, TZ="UTC", LC_ALL="C.UTF-8"
    )
    second = build(
        tmp_path / "a longer folder" / "b",
        umask="077",
        backwards=True,
        mode=0o600,
        TZ="Pacific/Kiritimati",
        LC_ALL="ru_RU.UTF-8",
        LANG="uz_UZ.UTF-8",
        HOME=str(tmp_path),
        PYTHONHASHSEED="4711",
        SOURCE_DATE_EPOCH="",
        APPLIANCE_BUNDLE_KEY=str(tmp_path / "bundle.key"),
    )
    assert differences(first, second) == []
    assert (first / "update").read_text() == freshness.describe(bundle.release(), DATE)
    assert next(first.glob("wheels/appliance-*.whl"))
    assert len(list(first.glob("prompts/*/*.wav"))) > 50


def test_a_difference_is_listed(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(text)
        with zipfile.ZipFile(tmp_path / name / "x.whl", "w") as wheel:
            wheel.writestr("inside", text)
    (tmp_path / "b" / "more").touch()
    found = differences(tmp_path / "a", tmp_path / "b")
    assert found == ["file", "more", "x.whl", "x.whl/inside"]
