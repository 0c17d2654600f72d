"""The contents of a bundle as CycloneDX: packages of Python, of the front end, of Debian."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provisioning.box import licences


def sbom_json(lock: Path, wheels: Path, front_end: Path, debs: Path, system: Path) -> str:
    """The bill of materials as JSON.

    `front_end`: its package-lock.json; `debs`: the file Packages of the packages that are installed
    on `system`, a plain Debian, unpacked. Raises ValueError for a component without a licence.
    """
    program = Path(sys.executable).with_name("cyclonedx-py")
    command: list[str | Path] = [
        program,
        "requirements",
        lock,
        "--output-format",
        "JSON",
        "--output-reproducible",
    ]
    result = subprocess.run(command, check=True, capture_output=True, text=True)
    bom: dict[str, Any] = json.loads(result.stdout)
    licence_by_package = {
        _normalised_name(name): licence
        for name, licence in map(licences.licence_of_wheel, wheels.glob("*.whl"))
    }
    for component in bom["components"]:
        component.pop("description", None)  # the line of the lock file, with every hash
        component.update(
            _licence_entry([licence_by_package.get(_normalised_name(component["name"]), "")])
        )
    bom["components"] += [*_front_end_components(front_end), *_debian_components(debs, system)]
    if unlicensed := [
        component["name"] for component in bom["components"] if not component.get("licenses")
    ]:
        raise ValueError(f"no licence is stated for {', '.join(unlicensed)}")
    return json.dumps(bom, indent=1, sort_keys=True) + "\n"


def _front_end_components(lock: Path) -> Iterator[dict[str, Any]]:
    for path, package in json.loads(lock.read_text("utf-8"))["packages"].items():
        if path and not package.get("dev"):
            name = path.rpartition("node_modules/")[2]
            yield _make_component("npm", name, package["version"], [package.get("license", "")])


def _debian_components(packages: Path, system: Path) -> Iterator[dict[str, Any]]:
    stanzas = packages.read_text("utf-8").strip().split("\n\n")
    packages_fields = [
        dict(re.findall(r"^([A-Z][A-Za-z]+): (.+)$", text, re.MULTILINE)) for text in stanzas
    ]
    licences_by_package = licences.licences_of_debs(
        (packages.parent / fields["Filename"] for fields in packages_fields), system
    )
    for fields in packages_fields:
        name = fields["Package"]
        yield _make_component("deb/debian", name, fields["Version"], licences_by_package[name])


def _make_component(kind: str, name: str, version: str, names: list[str]) -> dict[str, Any]:
    url = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    component = {"type": "library", "name": name, "version": version, "purl": url, "bom-ref": url}
    return component | _licence_entry(names)


def _licence_entry(names: list[str]) -> dict[str, Any]:
    rows = [{"license": {"name": name}} for name in names if name]
    return {"licenses": rows} if rows else {}


def _normalised_name(name: str) -> str:
    """The name of a Python package in its normalised form."""
    return re.sub(r"[-_.]+", "-", name).lower()
