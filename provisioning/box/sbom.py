"""What a bundle is made of, as CycloneDX: packages of Python, of the front end, of Debian."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from provisioning.box import licences


def written(lock: Path, wheels: Path, front_end: Path, debs: Path, system: Path) -> str:
    """The list as JSON. `front_end`: its package-lock.json; `debs`: the file Packages of
    what is installed on `system`, a plain Debian, unpacked.

    Raises ValueError for a part without a licence.
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
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    bom: dict[str, Any] = json.loads(done.stdout)
    own = {_plain(name): licence for name, licence in map(licences.of_wheel, wheels.glob("*.whl"))}
    for part in bom["components"]:
        part.pop("description", None)  # the line of the lock, with every hash
        part.update(_licensed([own.get(_plain(part["name"]), "")]))
    bom["components"] += [*_front_end(front_end), *_debian(debs, system)]
    if unlicensed := [part["name"] for part in bom["components"] if not part.get("licenses")]:
        raise ValueError(f"no licence is stated for {', '.join(unlicensed)}")
    return json.dumps(bom, indent=1, sort_keys=True) + "\n"


def _front_end(lock: Path) -> Iterator[dict[str, Any]]:
    for path, part in json.loads(lock.read_text("utf-8"))["packages"].items():
        if path and not part.get("dev"):
            name = path.rpartition("node_modules/")[2]
            yield _component("npm", name, part["version"], [part.get("license", "")])


def _debian(packages: Path, system: Path) -> Iterator[dict[str, Any]]:
    stanzas = packages.read_text("utf-8").strip().split("\n\n")
    lines = [dict(re.findall(r"^([A-Z][A-Za-z]+): (.+)$", text, re.MULTILINE)) for text in stanzas]
    stated = licences.of_debs((packages.parent / one["Filename"] for one in lines), system)
    for one in lines:
        name = one["Package"]
        yield _component("deb/debian", name, one["Version"], stated[name])


def _component(kind: str, name: str, version: str, names: list[str]) -> dict[str, Any]:
    url = f"pkg:{kind}/{name.replace('@', '%40')}@{version}"
    part = {"type": "library", "name": name, "version": version, "purl": url, "bom-ref": url}
    return part | _licensed(names)


def _licensed(names: list[str]) -> dict[str, Any]:
    rows = [{"license": {"name": name}} for name in names if name]
    return {"licenses": rows} if rows else {}


def _plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()
