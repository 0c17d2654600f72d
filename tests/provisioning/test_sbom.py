"""What a bundle is made of, each part with its licence."""

import json
import re
import subprocess
import zipfile
from pathlib import Path
from typing import Any

import pytest

from provisioning.box import sbom

TOP = Path(__file__).parents[2]
DEP5 = """Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/

Files: *
License: GPL-2

Files: debian/*
License: Expat
"""
POINTER = "The text is in /usr/share/common-licenses/LGPL-2.1.\n"
TEXT = "Permission is hereby granted, free of\ncharge, to any person\n"


def wheel_of(folder: Path, name: str, headers: str, text: str = "") -> None:
    with zipfile.ZipFile(folder / f"{name}-3-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}-3.dist-info/METADATA", f"Name: {name}\n{headers}\n")
        if text:
            wheel.writestr(f"{name}-3.dist-info/licenses/LICENSE", text)


def deb_of(folder: Path, name: str, text: str = "", other: str = "") -> None:
    """A package of Debian that has its copyright file, or the documents of another one."""
    tree = folder / "tree" / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1:2.0+b1\nArchitecture: all\nMaintainer: a <a@example.uz>\n"
        "Description: x\n"
    )
    documents = tree / "usr/share/doc" / name
    documents.parent.mkdir(parents=True)
    if other:
        documents.symlink_to(other)
    else:
        documents.mkdir()
    if text:
        (documents / "copyright").write_text(text)
    file = folder / f"{name}_2.0_all.deb"
    subprocess.run(["dpkg-deb", "-b", tree, file], check=True, capture_output=True)
    with (folder / "Packages").open("a") as packages:
        packages.write(f"Package: {name}\nVersion: 1:2.0+b1\nFilename: ./{file.name}\n\n")


@pytest.fixture
def parts(tmp_path: Path) -> Path:
    """A wheel for each package of the lock, and some packages of Debian."""
    names = re.findall(r"^([a-z0-9_.-]+)==", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    for name in names:
        wheel_of(tmp_path, name, "License-Expression: MIT\n")
    deb_of(tmp_path, "asterisk", DEP5)
    deb_of(tmp_path, "sox", POINTER)
    deb_of(tmp_path, "libx", TEXT)
    deb_of(tmp_path, "asterisk-modules", other="asterisk")
    deb_of(tmp_path, "libgcc", other="gcc-base")  # which a plain Debian has
    there = tmp_path / "system/usr/share/doc/gcc-base"
    there.mkdir(parents=True)
    (there / "copyright").write_text(DEP5)
    return tmp_path


def written(parts: Path) -> str:
    lists = (TOP / "requirements.lock", parts, TOP / "package-lock.json", parts / "Packages")
    return sbom.written(*lists, parts / "system")


def listed(parts: Path) -> dict[str, Any]:
    bom = json.loads(written(parts))
    assert bom["bomFormat"] == "CycloneDX"
    return {part["name"]: part for part in bom["components"]}


def licences(part: dict[str, Any]) -> list[str]:
    return [one["license"]["name"] for one in part["licenses"]]


def test_every_part_is_listed_with_its_licences(parts: Path) -> None:
    wheel_of(parts, "flask", "License-Expression: BSD-3-Clause\n")
    wheel_of(parts, "peewee", "Classifier: Topic\n", TEXT)  # only its text says which
    found = listed(parts)
    locked = set(re.findall(r"^([a-z0-9_.-]+)==", (TOP / "requirements.lock").read_text(), re.M))
    assert locked | {"htmx.org", "asterisk", "sox"} <= set(found)
    assert "axe-core" not in found  # tests only
    assert [name for name, part in found.items() if not part["licenses"]] == []
    assert licences(found["flask"]) == ["BSD-3-Clause"]
    assert licences(found["peewee"]) == ["MIT"]
    assert found["asterisk"]["purl"] == "pkg:deb/debian/asterisk@1:2.0+b1"
    assert licences(found["asterisk"]) == licences(found["asterisk-modules"]) == ["Expat", "GPL-2"]
    assert licences(found["libgcc"]) == ["Expat", "GPL-2"]
    assert licences(found["sox"]) == ["LGPL-2.1"]
    assert licences(found["libx"]) == ["MIT"]


@pytest.mark.parametrize(
    ("text", "other", "said"),
    [
        ("All rights reserved.\n", "", "strange states no licence"),
        ("", "", "strange_2.0_all.deb has no copyright file"),
        ("", "elsewhere", "its copyright file is that of elsewhere"),
    ],
)
def test_a_part_without_a_licence_stops_the_build(
    parts: Path, text: str, other: str, said: str
) -> None:
    deb_of(parts, "strange", text, other)
    with pytest.raises(ValueError, match=said):
        listed(parts)


def test_a_wheel_without_a_licence_stops_the_build(parts: Path) -> None:
    wheel_of(parts, "flask", "License: \n")
    with pytest.raises(ValueError, match="states no licence"):
        listed(parts)


def test_the_same_parts_give_the_same_list(parts: Path) -> None:
    assert written(parts) == written(parts)
