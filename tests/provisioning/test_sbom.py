"""What a bundle is made of."""

import json
import re
import zipfile
from pathlib import Path

from provisioning.box import sbom

TOP = Path(__file__).parents[2]
PACKAGES = "Package: asterisk\nVersion: 1:22.10.1~bpo13+1\n\nPackage: sox\nVersion: 14.4\n"


def test_every_package_is_listed_with_its_licence(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "flask-3-py3-none-any.whl", "w") as wheel:
        wheel.writestr(
            "flask-3.dist-info/METADATA", "Name: Flask\nLicense-Expression: BSD-3-Clause\n\n"
        )
    (tmp_path / "Packages").write_text(PACKAGES)
    lock = TOP / "requirements.lock"
    told = json.loads(
        sbom.written(lock, tmp_path, TOP / "package-lock.json", tmp_path / "Packages")
    )
    assert told["bomFormat"] == "CycloneDX"
    parts = {part["name"]: part for part in told["components"]}
    locked = set(re.findall(r"^([a-z0-9_.-]+)==", lock.read_text(), re.MULTILINE))
    assert locked | {"htmx.org", "asterisk", "sox"} <= set(parts)
    assert "axe-core" not in parts  # tests only
    assert parts["flask"]["licenses"] == [{"license": {"name": "BSD-3-Clause"}}]
    assert parts["asterisk"]["purl"] == "pkg:deb/debian/asterisk@1:22.10.1~bpo13+1"
    assert parts["htmx.org"]["licenses"]
