"""What a bundle is made of, as CycloneDX: packages of Python, of the front end, of Debian."""

import email.parser
import json
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any


def written(lock: Path, wheels: Path, front_end: Path, debs: Path) -> str:
    """The list as JSON. `front_end`: its package-lock.json; `debs`: the file Packages."""
    program = Path(sys.executable).with_name("cyclonedx-py")
    command: list[str | Path] = [
        program,
        "requirements",
        lock,
        "--output-format",
        "JSON",
        "--output-reproducible",
    ]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    bom: dict[str, Any] = json.loads(done.stdout)
    licences = dict(_licences(wheels))
    for part in bom["components"]:
        part.pop("description", None)  # the line of the lock, with every hash
        part.update(_licensed(licences.get(_plain(part["name"]), "")))
    bom["components"] += [*_front_end(front_end), *_debian(debs)]
    return json.dumps(bom, indent=1, sort_keys=True) + "\n"


def _licences(wheels: Path) -> Iterator[tuple[str, str]]:
    for wheel in sorted(wheels.glob("*.whl")):
        with zipfile.ZipFile(wheel) as packed:
            name = next(n for n in packed.namelist() if n.endswith(".dist-info/METADATA"))
            told = email.parser.BytesParser().parsebytes(packed.read(name), headersonly=True)
        classes = [
            c.rpartition(" :: ")[2] for c in told.get_all("Classifier", []) if "License" in c
        ]
        words = told["License-Expression"] or "; ".join(classes) or told["License"] or ""
        yield _plain(str(told["Name"])), str(words).partition("\n")[0]


def _front_end(lock: Path) -> Iterator[dict[str, Any]]:
    for path, part in json.loads(lock.read_text("utf-8"))["packages"].items():
        if path and not part.get("dev"):
            name = path.rpartition("node_modules/")[2]
            yield _component("npm", name, part["version"], part.get("license", ""))


def _debian(packages: Path) -> Iterator[dict[str, Any]]:
    for text in packages.read_text("utf-8").strip().split("\n\n"):
        told = dict(re.findall(r"^(Package|Version|Architecture): (.+)$", text, re.MULTILINE))
        yield _component("deb/debian", told["Package"], told["Version"], "")


def _component(kind: str, name: str, version: str, licence: str) -> dict[str, Any]:
    url = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    part = {"type": "library", "name": name, "version": version, "purl": url, "bom-ref": url}
    return part | _licensed(licence)


def _licensed(licence: str) -> dict[str, Any]:
    return {"licenses": [{"license": {"name": licence}}]} if licence else {}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
