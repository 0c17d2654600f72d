"""Whether a release works on this box: before an upgrade, and until it does after it.

    watch_release.py before UNIT…            prints what is wrong already, as one line of JSON
    watch_release.py after BEFORE UNIT…      waits; says what does not work (exit status 1)

BEFORE is that line. The release works when the pages answer, every unit runs that ran before, and
`appliance doctor` finds nothing wrong that was right before. A unit that systemd has started again
and again since, or has given up, ends the waiting at once.
"""

import argparse
import json
import re
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from typing import Any

PAGES = "http://127.0.0.1:8000/healthz"
RESTARTS = 2  # by systemd since the unit was started: one may be chance, two are a loop
STEADY_SECONDS = 10  # for which everything must have run when all is well
PAUSE_SECONDS = 1
DOCTOR_SECONDS = 120  # after which `appliance doctor` is given up
# They depend on people, not on the release: jobs that are due, who signed in, which phone is on.
APART = re.compile(r"job[.]|operators[.]|phones$|refused$")
SHOWN = ("ActiveState", "SubState", "NRestarts", "Result", "ExecMainStartTimestampMonotonic")


def state_of(unit: str) -> dict[str, str]:
    """What systemd shows of a unit, by property."""
    shown = subprocess.run(
        ["systemctl", "show", f"--property={','.join(SHOWN)}", unit],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(line.split("=", 1) for line in shown.splitlines() if "=" in line)


def runs(state: dict[str, str]) -> bool:
    """Whether it runs, and is not between two starts."""
    return (state["ActiveState"], state["SubState"]) == ("active", "running")


def examine(command: str) -> dict[str, str]:
    """The state of each self-check by its name; "doctor" fails when there is no answer."""
    try:
        done = subprocess.run(
            [command, "doctor", "--json"],
            check=False,
            capture_output=True,
            text=True,
            timeout=DOCTOR_SECONDS,
        )
        return {one["check"]: one["state"] for one in json.loads(done.stdout)}
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return {"doctor": "fail"}


def before(command: str, units: Sequence[str]) -> dict[str, Any]:
    """What works now: self-checks that do not fail, and units that run."""
    checks = examine(command)
    return {
        "right": sorted(name for name, state in checks.items() if state != "fail"),
        "running": [unit for unit in units if runs(state_of(unit))],
    }


def crashed(units: Sequence[str]) -> list[str]:
    """What systemd has given up or starts again and again, in words."""
    found = []
    for unit in units:
        state = state_of(unit)
        restarts = int(state["NRestarts"] or 0)
        if state["ActiveState"] == "failed":
            found.append(f"{unit} has failed ({state['Result']})")
        elif restarts >= RESTARTS:
            found.append(f"{unit} has ended {restarts} times since its start ({state['Result']})")
    return found


def troubles(known: dict[str, Any], command: str, pages: str) -> list[str]:
    """What does not work yet, in words; the quick questions first."""
    found = [f"{unit} does not run" for unit in known["running"] if not runs(state_of(unit))]
    try:
        with urllib.request.urlopen(pages, timeout=5) as answer:  # noqa: S310 - of this box
            if answer.status != 200:
                found.append(f"the pages answer {answer.status}")
    except OSError as error:
        found.append(f"the pages do not answer: {error}")
    if found:
        return found
    checks = examine(command)
    right = {"doctor", *known["right"]}  # a check that the former release lacks says nothing of it
    wrong = (name for name, state in checks.items() if state == "fail" and name in right)
    return [f"the self-check {name} fails" for name in wrong if not APART.match(name)]


def watch(known: dict[str, Any], command: str, pages: str, seconds: int) -> list[str]:
    """Wait until the release works; what does not, when the time is over or a unit is in a loop."""
    began = time.monotonic()
    while True:
        if found := crashed(known["running"]):
            return found
        found = troubles(known, command, pages)
        waited = time.monotonic() - began
        # One that crashes some seconds after the pages answer does not pass for one that works.
        if not found and waited >= STEADY_SECONDS:
            return crashed(known["running"])
        if found and waited >= seconds:
            return found
        time.sleep(PAUSE_SECONDS)


def main(words: Sequence[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("when", choices=["before", "after"])
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--command", default="/usr/local/bin/appliance")
    parser.add_argument("--pages", default=PAGES)
    parser.add_argument("--seconds", type=int, default=120, help="until it must work")
    wanted = parser.parse_args(words)
    if wanted.when == "before":
        print(json.dumps(before(wanted.command, wanted.rest)))
        return 0
    known = json.loads(wanted.rest[0])
    found = watch(known, wanted.command, wanted.pages, wanted.seconds)
    print("; ".join(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
