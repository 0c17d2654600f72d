"""Known vulnerabilities in the packages of a box, according to the registries.

Those of `requirements.lock` by pip-audit, those of the front end by `npm audit`.

    python -m provisioning.box.vulnerabilities

Exits with 1 if a package has a vulnerability that is not in ACCEPTED_REASONS. Reports it, and exits
with 0, if a registry does not answer: nothing that is built here may wait for a registry.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

SOURCE_ROOT = Path(__file__).resolve().parents[2]
LOCK_FILE = SOURCE_ROOT / "requirements.lock"
# Identifier → why it does no harm here, where no newer package fixes the vulnerability.
ACCEPTED_REASONS: dict[str, str] = {}
_TIMEOUT_SECONDS = 120
_INDEX_TIMEOUT_SECONDS = 10  # of the index, for one package


def audit_python(lock: Path) -> list[dict[str, Any]] | None:
    """The index's entry for each package: name, version, and vulns or skip_reason.

    None if the index does not answer, or has no answer for any package.
    """
    command = [
        *(sys.executable, "-m", "pip_audit", "--disable-pip", "--require-hashes"),
        *("-r", str(lock), "--format", "json", "--progress-spinner", "off"),
        *("--timeout", str(_INDEX_TIMEOUT_SECONDS)),
    ]
    try:
        result = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=_TIMEOUT_SECONDS
        )
        packages = json.loads(result.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError):
        return None
    return packages if any("vulns" in package for package in packages) else None


def audit_front_end(folder: Path) -> list[dict[str, Any]] | None:
    """The entries of the front end's registry, in the same form, if it answers."""
    npm = Path(sys.executable).with_name("npm")
    command = [str(npm), "audit", "--omit", "dev", "--package-lock-only", "--json"]
    try:
        result = subprocess.run(
            command,
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TIMEOUT_SECONDS,
        )
        entries = json.loads(result.stdout)["vulnerabilities"]
    except (subprocess.TimeoutExpired, OSError, ValueError, KeyError, TypeError):
        return None
    return [
        {
            "name": name,
            "version": entry["range"],
            "vulns": [
                {"id": advisory["url"].rpartition("/")[2], "fix_versions": [], "aliases": []}
                for advisory in entry["via"]
                if isinstance(
                    advisory, dict
                )  # a text names another package, which has its own entry
            ],
        }
        for name, entry in sorted(entries.items())
    ]


def unaccepted_vulnerabilities(packages: list[dict[str, Any]]) -> list[str]:
    """A line for each vulnerability that is not accepted."""
    return [
        f"{package['name']} {package['version']}: {vulnerability['id']}, mended in "
        f"{', '.join(vulnerability['fix_versions']) or 'no version yet'}"
        for package in packages
        for vulnerability in package.get("vulns", ())
        if not {vulnerability["id"], *vulnerability.get("aliases", ())} & ACCEPTED_REASONS.keys()
    ]


def main() -> int:
    """Print the vulnerabilities; returns the exit code."""
    lines: list[str] = []
    for index, packages in (
        ("package index", audit_python(LOCK_FILE)),
        ("npm registry", audit_front_end(SOURCE_ROOT)),
    ):
        if packages is None:
            print(f"vulnerabilities: the {index} does not respond; not looked up")
        else:
            lines += unaccepted_vulnerabilities(packages)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
