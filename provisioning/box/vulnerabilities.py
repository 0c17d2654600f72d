"""Known vulnerabilities in the packages that a box gets, as the registries tell them.

Those of `requirements.lock` by pip-audit, those of the front end by `npm audit`.

    python -m provisioning.box.vulnerabilities

Exits with 1 when a package has one that is not in ACCEPTED. Says so, and exits with 0, when a
registry does not answer: nothing that is built here may wait for it.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

TOP = Path(__file__).resolve().parents[2]
LOCK = TOP / "requirements.lock"
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


def front_end(folder: Path) -> list[dict[str, Any]] | None:
    """What the front end's registry tells, in the same form; None when it tells nothing."""
    npm = Path(sys.executable).with_name("npm")
    command = [str(npm), "audit", "--omit", "dev", "--package-lock-only", "--json"]
    try:
        done = subprocess.run(
            command, cwd=folder, capture_output=True, text=True, check=False, timeout=_LIMIT
        )
        told = json.loads(done.stdout)["vulnerabilities"]
    except (subprocess.TimeoutExpired, OSError, ValueError, KeyError, TypeError):
        return None
    return [
        {
            "name": name,
            "version": one["range"],
            "vulns": [
                {"id": why["url"].rpartition("/")[2], "fix_versions": [], "aliases": []}
                for why in one["via"]
                if isinstance(why, dict)  # a text names another package, which has it itself
            ],
        }
        for name, one in sorted(told.items())
    ]


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
    lines: list[str] = []
    for index, told in (("package index", asked(LOCK)), ("npm registry", front_end(TOP))):
        if told is None:
            print(f"vulnerabilities: the {index} tells nothing; not looked up")
        else:
            lines += harmful(told)
    for line in lines:
        print(line)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
