"""Checks whether a release works on this box: before an upgrade, and until it works after it.

    watch_release.py before UNIT…            prints what is wrong already, as one line of JSON
    watch_release.py after BEFORE UNIT…      waits; prints what does not work (exit status 1)

BEFORE is that line. The release works when the pages answer, every unit runs that ran before, and
`appliance doctor` finds no failure in a check that passed before. A unit that systemd has restarted
repeatedly since, or has given up, ends the waiting at once.
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

HEALTH_URL = "http://127.0.0.1:8000/healthz"
MIN_LOOP_RESTARTS = 2  # by systemd since the unit was started: one may be chance, two are a loop
STEADY_SECONDS = 10  # for which everything must have run before the release counts as working
PAUSE_SECONDS = 1
DOCTOR_TIMEOUT_SECONDS = 120  # after which `appliance doctor` is stopped
# They depend on people, not on the release: due jobs, signed-in users, connected phones.
IGNORED_CHECKS = re.compile(r"job[.]|operators[.]|phones$|refused$")
UNIT_PROPERTIES = (
    "ActiveState",
    "SubState",
    "NRestarts",
    "Result",
    "ExecMainStartTimestampMonotonic",
)


def unit_state(unit: str) -> dict[str, str]:
    """Return the state of a unit as shown by systemd, by property."""
    output = subprocess.run(
        ["systemctl", "show", f"--property={','.join(UNIT_PROPERTIES)}", unit],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    return dict(line.split("=", 1) for line in output.splitlines() if "=" in line)


def is_running(state: dict[str, str]) -> bool:
    """Return True if the unit runs, and is not between two starts."""
    return (state["ActiveState"], state["SubState"]) == ("active", "running")


def self_check_states(command: str) -> dict[str, str]:
    """Return the state of each self-check by name; "doctor" fails when there is no valid output."""
    try:
        completed = subprocess.run(
            [command, "doctor", "--json"],
            check=False,
            capture_output=True,
            text=True,
            timeout=DOCTOR_TIMEOUT_SECONDS,
        )
        return {result["check"]: result["state"] for result in json.loads(completed.stdout)}
    except (OSError, ValueError, KeyError, TypeError, subprocess.TimeoutExpired):
        return {"doctor": "fail"}


def working_state(command: str, units: Sequence[str]) -> dict[str, Any]:
    """Return what works now: self-checks that do not fail, and units that run."""
    checks = self_check_states(command)
    return {
        "right": sorted(name for name, state in checks.items() if state != "fail"),
        "running": [unit for unit in units if is_running(unit_state(unit))],
    }


def crash_reports(units: Sequence[str]) -> list[str]:
    """Return a sentence for each unit that systemd has given up or restarts repeatedly."""
    reports = []
    for unit in units:
        state = unit_state(unit)
        restarts = int(state["NRestarts"] or 0)
        if state["ActiveState"] == "failed":
            reports.append(f"{unit} has failed ({state['Result']})")
        elif restarts >= MIN_LOOP_RESTARTS:
            reports.append(f"{unit} has ended {restarts} times since its start ({state['Result']})")
    return reports


def current_problems(state_before: dict[str, Any], command: str, pages: str) -> list[str]:
    """Return a sentence for each thing that does not work yet; the quick checks come first."""
    problems = [
        f"{unit} does not run"
        for unit in state_before["running"]
        if not is_running(unit_state(unit))
    ]
    try:
        with urllib.request.urlopen(pages, timeout=5) as response:  # noqa: S310 - of this box
            if response.status != 200:
                problems.append(f"the pages answer {response.status}")
    except OSError as error:
        problems.append(f"the pages do not answer: {error}")
    if problems:
        return problems
    checks = self_check_states(command)
    checks_before = {"doctor", *state_before["right"]}  # others are new
    failing = (name for name, state in checks.items() if state == "fail" and name in checks_before)
    return [f"the self-check {name} fails" for name in failing if not IGNORED_CHECKS.match(name)]


def wait_until_working(
    state_before: dict[str, Any], command: str, pages: str, seconds: int
) -> list[str]:
    """Wait until the release works; returns the problems at a timeout or of a unit in a loop."""
    started_at = time.monotonic()
    while True:
        if problems := crash_reports(state_before["running"]):
            return problems
        problems = current_problems(state_before, command, pages)
        elapsed = time.monotonic() - started_at
        # Otherwise a unit that crashes some seconds after the pages answer would pass as working.
        if not problems and elapsed >= STEADY_SECONDS:
            return crash_reports(state_before["running"])
        if problems and elapsed >= seconds:
            return problems
        time.sleep(PAUSE_SECONDS)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("when", choices=["before", "after"])
    parser.add_argument("rest", nargs="+")
    parser.add_argument("--command", default="/usr/local/bin/appliance")
    parser.add_argument("--pages", default=HEALTH_URL)
    parser.add_argument("--seconds", type=int, default=120, help="until it must work")
    options = parser.parse_args(arguments)
    if options.when == "before":
        print(json.dumps(working_state(options.command, options.rest)))
        return 0
    state_before = json.loads(options.rest[0])
    problems = wait_until_working(state_before, options.command, options.pages, options.seconds)
    print("; ".join(problems))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
