"""Known vulnerabilities in the packages of `requirements.lock`, as the package index tells them.

    python -m provisioning.box.vulnerabilities

Exits with 1 when a package has one that is not in ACCEPTED. Says so, and exits with 0, when the
index does not answer: nothing that is built here may wait for it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

LOCK = Path(__file__).resolve().parents[2] / "requirements.lock"
# Identifier → why it does no harm here, for what cannot be mended by a newer package.
ACCEPTED: dict[str, str] = {}
_LIMIT = 120  # seconds
_ANSWER = 10  # seconds that the index may take for one package


def asked(lock: Path) -> list[dict[str, Any]] | None:
    """What the index tells of each package: name, version, and vulns or skip_reason.

    None when it tells nothing of any.
    """
    command = [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"),
        *("-r", str(lock), "--format", "json", "--progress-spinner", "off"),
        *("--timeout", str(_ANSWER)),
    ]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=_LIMIT)
        told = json.loads(done.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return told if any("vulns" in one for one in told) else None


def harmful(told: list[dict[str, Any]]) -> list[str]:
    """A line for each vulnerability that is not accepted."""
    return [
        f"{one['name']} {one['version']}: {found['id']}, mended in "
        f"{', '.join(found['fix_versions']) or 'no version yet'}"
        for one in told
        for found in one.get("vulns", ())
        if not {found["id"], *found.get("aliases", ())} & ACCEPTED.keys()
    ]


def main() -> int:
    """Print what was found; the exit code."""
    told = asked(LOCK)
    if told is None:
        print("vulnerabilities: the package index tells nothing; not looked up")
        return 0
    lines = harmful(told)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
