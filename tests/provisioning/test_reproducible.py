"""The same sources give the same bundle, bit by bit, at every place and time of the build."""

import hashlib
import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from provisioning.box import bundle, freshness

RELEASE_TIME = 1_790_000_000
BUILD_SCRIPT = """
import os, sys
from pathlib import Path
os.umask(int(sys.argv[3], 8))
from provisioning.box import bundle
folder = Path(sys.argv[1])
folder.mkdir(parents=True)
bundle.make_own_parts(folder, int(sys.argv[2]))
bundle.finish_release(folder, bundle.source_release(), int(sys.argv[2]))
"""
SOURCE_NAMES = (
    "appliance",
    "docs",
    "ivr",
    "backups",
    "provisioning",
    "setup.cfg",
    "pyproject.toml",
)
FILE_NAMES = ("README.md", "LICENSE", "package-lock.json", "requirements.lock")


def copy_sources(into: Path, *, backwards: bool, mode: int) -> None:
    """Copy the sources as another person has them: other order, modes, times, and remnants."""
    names = sorted([*SOURCE_NAMES, *FILE_NAMES], reverse=backwards)
    into.mkdir(parents=True)
    for name in names:
        source = bundle.SOURCE_ROOT / name
        if source.is_dir():
            shutil.copytree(source, into / name, ignore=shutil.ignore_patterns("site.ini"))
        else:
            shutil.copy(source, into / name)
    for number, file in enumerate(sorted(into.rglob("*"), reverse=backwards)):
        file.chmod(mode | (0o711 if file.is_dir() else 0))
        os.utime(file, (1_000_000_000 + number, 1_000_000_000 + number))
    cache_folder = into / "provisioning/ansible/roles/validate/filter_plugins/__pycache__"
    cache_folder.mkdir(exist_ok=True)
    (cache_folder / f"{into.parent.name}.pyc").write_text(str(into))


def build_bundle(
    folder: Path, *, umask: str, backwards: bool, mode: int, **environment: str
) -> Path:
    """Make a bundle's own parts from a copy of the sources, in a separate process."""
    top = folder / "sources"
    copy_sources(top, backwards=backwards, mode=mode)
    subprocess.run(
        [sys.executable, "-c", BUILD_SCRIPT, folder / "bundle", str(RELEASE_TIME), umask],
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


def file_facts(folder: Path) -> dict[str, tuple[str, str]]:
    """Return every file with its mode and hash; for a wheel also its members."""
    facts_by_name = {}
    for file in sorted(folder.rglob("*")):
        name, mode = str(file.relative_to(folder)), oct(file.stat().st_mode)
        facts_by_name[name] = (mode, "" if file.is_dir() else sha256_of(file.read_bytes()))
        if file.suffix == ".whl":
            with zipfile.ZipFile(file) as wheel:
                for member in wheel.infolist():
                    facts = (
                        member.date_time,
                        oct(member.external_attr),
                        sha256_of(wheel.read(member)),
                    )
                    facts_by_name[f"{name}/{member.filename}"] = (str(facts), "")
    return facts_by_name


def sha256_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def differing_files(first: Path, second: Path) -> list[str]:
    """Return the names of files that differ between the folders."""
    first_facts, second_facts = file_facts(first), file_facts(second)
    names = sorted({*first_facts, *second_facts})
    return [name for name in names if first_facts.get(name) != second_facts.get(name)]


def test_two_builds_give_identical_bundles(tmp_path: Path) -> None:
    """The folders, orders, modes, umasks, locales, time zones and times differ."""
    first = build_bundle(
        tmp_path / "a", umask="022", backwards=False, mode=0o644, TZ="UTC", LC_ALL="C.UTF-8"
    )
    second = build_bundle(
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
    assert differing_files(first, second) == []
    assert (first / "update").read_text() == freshness.update_text(
        bundle.source_release(), RELEASE_TIME
    )
    assert next(first.glob("wheels/appliance-*.whl"))
    assert len(list(first.glob("prompts/*/*.wav"))) > 50


def test_a_difference_is_listed(tmp_path: Path) -> None:
    for name, text in (("a", "one"), ("b", "two")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text(text)
        with zipfile.ZipFile(tmp_path / name / "x.whl", "w") as wheel:
            wheel.writestr("inside", text)
    (tmp_path / "b" / "more").touch()
    names = differing_files(tmp_path / "a", tmp_path / "b")
    assert names == ["file", "more", "x.whl", "x.whl/inside"]
