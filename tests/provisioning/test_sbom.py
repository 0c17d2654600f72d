"""The contents of a bundle, each part with its licence."""

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
LICENCE_POINTER = "The text is in /usr/share/common-licenses/LGPL-2.1.\n"
LICENCE_TEXT = "Permission is hereby granted, free of\ncharge, to any person\n"


def make_wheel(folder: Path, name: str, headers: str, text: str = "") -> None:
    with zipfile.ZipFile(folder / f"{name}-3-py3-none-any.whl", "w") as wheel:
        wheel.writestr(f"{name}-3.dist-info/METADATA", f"Name: {name}\n{headers}\n")
        if text:
            wheel.writestr(f"{name}-3.dist-info/licenses/LICENSE", text)


def make_deb(folder: Path, name: str, text: str = "", other_package: str = "") -> None:
    """Make a Debian package with a copyright file, or linked to another package's documents."""
    tree = folder / "tree" / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1:2.0+b1\nArchitecture: all\nMaintainer: a <a@example.uz>\n"
        "Description: x\n"
    )
    documents = tree / "usr/share/doc" / name
    documents.parent.mkdir(parents=True)
    if other_package:
        documents.symlink_to(other_package)
    else:
        documents.mkdir()
    if text:
        (documents / "copyright").write_text(text)
    file = folder / f"{name}_2.0_all.deb"
    subprocess.run(["dpkg-deb", "-b", tree, file], check=True, capture_output=True)
    with (folder / "Packages").open("a") as packages:
        packages.write(f"Package: {name}\nVersion: 1:2.0+b1\nFilename: ./{file.name}\n\n")


@pytest.fixture
def bundle_parts(tmp_path: Path) -> Path:
    """A wheel for each package of the lock, and some Debian packages."""
    names = re.findall(r"^([a-z0-9_.-]+)==", (TOP / "requirements.lock").read_text(), re.MULTILINE)
    for name in names:
        make_wheel(tmp_path, name, "License-Expression: MIT\n")
    make_deb(tmp_path, "asterisk", DEP5)
    make_deb(tmp_path, "sox", LICENCE_POINTER)
    make_deb(tmp_path, "libx", LICENCE_TEXT)
    make_deb(tmp_path, "asterisk-modules", other_package="asterisk")
    make_deb(tmp_path, "libgcc", other_package="gcc-base")  # part of every plain Debian
    there = tmp_path / "system/usr/share/doc/gcc-base"
    there.mkdir(parents=True)
    (there / "copyright").write_text(DEP5)
    return tmp_path


def sbom_text(parts: Path) -> str:
    lists = (TOP / "requirements.lock", parts, TOP / "package-lock.json", parts / "Packages")
    return sbom.sbom_json(*lists, parts / "system")


def listed_components(parts: Path) -> dict[str, Any]:
    bom = json.loads(sbom_text(parts))
    assert bom["bomFormat"] == "CycloneDX"
    return {part["name"]: part for part in bom["components"]}


def licence_names(part: dict[str, Any]) -> list[str]:
    return [licence["license"]["name"] for licence in part["licenses"]]


def test_every_part_is_listed_with_its_licences(bundle_parts: Path) -> None:
    make_wheel(bundle_parts, "flask", "License-Expression: BSD-3-Clause\n")
    # only the text shows the licence
    make_wheel(bundle_parts, "peewee", "Classifier: Topic\n", LICENCE_TEXT)
    components = listed_components(bundle_parts)
    locked = set(re.findall(r"^([a-z0-9_.-]+)==", (TOP / "requirements.lock").read_text(), re.M))
    assert locked | {"htmx.org", "asterisk", "sox"} <= set(components)
    assert "axe-core" not in components  # used by tests only
    assert [name for name, part in components.items() if not part["licenses"]] == []
    assert licence_names(components["flask"]) == ["BSD-3-Clause"]
    assert licence_names(components["peewee"]) == ["MIT"]
    assert components["asterisk"]["purl"] == "pkg:deb/debian/asterisk@1:2.0+b1"
    assert (
        licence_names(components["asterisk"])
        == licence_names(components["asterisk-modules"])
        == ["Expat", "GPL-2"]
    )
    assert licence_names(components["libgcc"]) == ["Expat", "GPL-2"]
    assert licence_names(components["sox"]) == ["LGPL-2.1"]
    assert licence_names(components["libx"]) == ["MIT"]


@pytest.mark.parametrize(
    ("text", "other", "message"),
    [
        ("All rights reserved.\n", "", "strange states no licence"),
        ("", "", "strange_2.0_all.deb has no copyright file"),
        ("", "elsewhere", "its copyright file is that of elsewhere"),
    ],
)
def test_a_part_without_a_licence_stops_the_build(
    bundle_parts: Path, text: str, other: str, message: str
) -> None:
    make_deb(bundle_parts, "strange", text, other)
    with pytest.raises(ValueError, match=message):
        listed_components(bundle_parts)


def test_a_wheel_without_a_licence_stops_the_build(bundle_parts: Path) -> None:
    make_wheel(bundle_parts, "flask", "License: \n")
    with pytest.raises(ValueError, match="states no licence"):
        listed_components(bundle_parts)


def test_the_same_parts_give_the_same_list(bundle_parts: Path) -> None:
    assert sbom_text(bundle_parts) == sbom_text(bundle_parts)
