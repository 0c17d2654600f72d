"""The site's self-tests, run when they are due."""

import json
import subprocess

from appliance.box import selftests
from appliance.box.selftests import SelfTestResult
from appliance.core.settings import Settings
from appliance.pbx.actions import place_carrier_calls, place_synthetic_call

_DRILL_TIMEOUT_SECONDS = 900  # a drill that takes longer is aborted


def run_test_call(settings: Settings) -> str:
    """Place a test call; returns a text about its result."""
    result: SelfTestResult = place_synthetic_call(settings)
    return "done" if result.ok else f"{result.failed}: {result.seen}"


def run_carrier_calls(settings: Settings) -> str:
    """Place a test call over each trunk that is due for one; returns a text about the results."""
    results = place_carrier_calls(settings)
    return ", ".join(f"{name}: {result.failed or 'done'}" for name, result in results.items())


def run_offline_drill(settings: Settings) -> str:
    """Run the self-test without the internet in its own process; returns a text about its result.

    Raises RuntimeError if the process ends without a result.
    """
    command = selftests.appliance_command(settings, "selftest", "offline", "--json")
    process = subprocess.run(  # noqa: S603  our own command
        command, capture_output=True, text=True, timeout=_DRILL_TIMEOUT_SECONDS, check=False
    )
    if not process.stdout:
        raise RuntimeError(
            f"the drill ended with {process.returncode}: {process.stderr[-300:].strip()}"
        )
    result = json.loads(process.stdout)
    return "done" if result["ok"] else f"{result['failed']}: {result['seen']}"
