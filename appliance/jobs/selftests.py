"""The site tests itself when it is due."""

import json
import subprocess

from appliance.box import selftests
from appliance.box.selftests import Result
from appliance.core.settings import Settings
from appliance.pbx.actions import over_carriers, synthetic_call

_DRILL = 900  # seconds after which the drill is given up


def call(settings: Settings) -> str:
    """A test call; what came of it."""
    found: Result = synthetic_call(settings)
    return "done" if found.ok else f"{found.failed}: {found.seen}"


def carriers(settings: Settings) -> str:
    """A test call over each trunk for which one is due; what came of them."""
    found = over_carriers(settings)
    return ", ".join(f"{name}: {one.failed or 'done'}" for name, one in found.items())


def offline(settings: Settings) -> str:
    """The drill without the internet, by a process of its own; what came of it."""
    command = selftests.command(settings, "selftest", "offline", "--json")
    done = subprocess.run(  # noqa: S603  our own command
        command, capture_output=True, text=True, timeout=_DRILL, check=False
    )
    if not done.stdout:
        raise RuntimeError(f"the drill ended with {done.returncode}: {done.stderr[-300:].strip()}")
    told = json.loads(done.stdout)
    return "done" if told["ok"] else f"{told['failed']}: {told['seen']}"
