"""The site's self-checks, for those who look after it."""

from typing import Any

from flask import Blueprint, render_template
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from appliance import clock, health, runs
from appliance.web.access import may
from appliance.web.context import site

screen = Blueprint("status", __name__)

JOBS: dict[str, LazyString] = {
    "clear": _l("Clear old notes to open pages"),
    "reports": _l("Make reports"),
    "asterisk": _l("Keep the exchange up to date"),
    "disks": _l("Look at the disks"),
    "retention": _l("Remove what is old"),
    "duty": _l("Ask the next on duty"),
    "snapshot": _l("Make a snapshot"),
    "drill": _l("Try a restore"),
}
# state of a run: its name, the badge's kind, the icon
RUNS: dict[str, tuple[LazyString, str, str]] = {
    "running": (_l("Running"), "accent", "hourglass"),
    "done": (_l("Done"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
    "lost": (_l("Stopped in the middle"), "warn", "triangle-alert"),
    "new": (_l("Not run yet"), "", "clock"),
}


@screen.get("/status")
@may("technician", "backup", "manager")
def page() -> str:
    """Every check, what was seen and what to do; looked at anew by each opening."""
    return render_template("status/page.html", **_looked())


@screen.get("/status/checks")
@may("technician", "backup", "manager")
def checks() -> str:
    """The same, as a piece of the open page."""
    return render_template("status/checks.html", **_looked())


def _looked() -> dict[str, Any]:
    return {
        "checks": health.checks(site()),
        "at": clock.now(),
        "latest": runs.latest(),
        "told": runs.told(),
        "jobs": JOBS,
        "runs": RUNS,
    }
