"""The technician's page: what needs doing, the lines, and the machine."""

import os
import platform
import sqlite3
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance import (
    alarms,
    audit,
    calls,
    clock,
    devices,
    health,
    outbox,
    plan,
    processes,
    retention,
    runs,
    trunks,
)
from appliance.pbx import actions
from appliance.retention import disks
from appliance.web.access import may
from appliance.web.context import me, site
from appliance.web.retention import DISKS

screen = Blueprint("status", __name__)

JOBS: dict[str, LazyString] = {
    "clear": _l("Clear old notes to open pages"),
    "reports": _l("Make reports"),
    "asterisk": _l("Keep the exchange up to date"),
    "disks": _l("Look at the disks"),
    "retention": _l("Remove what is old"),
    "callers": _l("Write to callers"),
    "duty": _l("Ask the next on duty"),
    "summary": _l("Tell the group how the day went"),
    "checks": _l("Check the box and tell of faults"),
    "integrity": _l("Read the whole database"),
    "self_test_call": _l("Test call"),
    "self_test_offline": _l("Drill without the internet"),
    "rate": _l("Measure the rate of the internet"),
    "snapshot": _l("Make a snapshot"),
    "drill": _l("Try a restore"),
    "snapshot_asked": _l("What was asked for on the page Backups"),
}
# state of a run: its name, the badge's kind, the icon
RUNS: dict[str, tuple[LazyString, str, str]] = {
    "running": (_l("Running"), "accent", "hourglass"),
    "done": (_l("Done"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
    "lost": (_l("Stopped in the middle"), "warn", "triangle-alert"),
    "new": (_l("Not run yet"), "", "clock"),
}
PROCESSES: dict[str, LazyString] = {
    "asterisk": _l("Telephone exchange"),
    "pbx": _l("Ledger and lines"),
    "web": _l("Pages"),
    "jobs": _l("Scheduled work"),
}
# Asterisk's DIALSTATUS: its name, the badge's kind, the icon
RESULTS: dict[str, tuple[LazyString, str, str]] = {
    "ANSWER": (_l("answered"), "ok", "check"),
    "BUSY": (_l("busy"), "ok", "check"),
    "NOANSWER": (_l("rang, nobody answered"), "ok", "check"),
    "CONGESTION": (_l("the line would not carry it"), "bad", "octagon-alert"),
    "CHANUNAVAIL": (_l("the line did not answer"), "bad", "octagon-alert"),
}
TROUBLES: dict[str, LazyString] = {
    "number": _l("Set a number to call first: `calls.test_number` in the settings."),
    "trunk": _l("This trunk is no more in the plan."),
    "busy": _l("This line is being tried already."),
}
_HALF = 16  # timeslots in a row of the drawing; 16 is the D-channel


@screen.get("/status")
@may("technician", "backup", "manager")
def page() -> str:
    """Everything; the checks are looked at anew by each opening."""
    return render_template("status/page.html", **_checks(), **_lines(), **_machine())


@screen.get("/status/<any(checks, lines, machine):piece>")
@may("technician", "backup", "manager")
def fragment(piece: str) -> str:
    """A piece of the open page."""
    shown = {"checks": _checks, "lines": _lines, "machine": _machine}[piece]()
    return render_template(f"status/{piece}.html", **shown)


@screen.post("/status/lines/<trunk>/test")
@may("technician")
def test(trunk: str) -> Response:
    """Call the test number over a trunk, or over one of its spans; the result shows beside it."""
    span = request.form.get("span", type=int)
    if not any(one.name == trunk for one in plan.current(site()).trunks):
        abort(404)
    try:
        made = actions.try_line(site(), trunk, me().login, span)
    except actions.Refused as error:
        flash(str(TROUBLES.get(error.code, _("The exchange would not do it. Try again."))))
    except actions.Unreachable:
        flash(_("The exchange does not answer."))
    else:
        audit.record(me().login, "line.test", trunk, span=span, number=made.number)
        flash(_("The line is being tried; what comes of it shows beside it."))
    return redirect(url_for("status.page"))


def _checks() -> dict[str, Any]:
    """What was looked at, and the figures above it."""
    looked = alarms.shown(site())
    by_code = {check.code: check for check in looked}
    known = alarms.states()
    current, spans = plan.current(site()).trunks, trunks.spans()
    used = {device.name: device.channels for device in devices.trunks()}
    loads = [trunks.load(trunk, used, spans) for trunk in current]
    return {
        "checks": looked,
        "counts": {state: sum(c.state == state for c in looked) for state in health.STATES},
        "since": {
            code: row.since
            for code, row in known.items()
            if code in by_code and by_code[code].state == row.state
        },
        "takes_calls": by_code["asterisk.sip"].state == "ok",
        "talks": sum(one.stage == "talk" for one in calls.going_on()),
        "channels": sum(busy for busy, _limit in loads),
        "capacity": sum(limit for _busy, limit in loads) if all(n for _b, n in loads) else None,
        "load": os.getloadavg()[0],
        "cores": os.cpu_count() or 1,
        "memory": _memory(),
        "ages": outbox.ages(),
        "lag": health.lag(site()),
        "clock_check": by_code.get("clock"),
        "at": clock.now(),
    }


def _lines() -> dict[str, Any]:
    now = clock.now()
    midnight = now.astimezone(site().tz).replace(hour=0, minute=0, second=0, microsecond=0)
    current, spans = plan.current(site()).trunks, trunks.spans()
    used = {device.name: device.channels for device in devices.trunks()}
    return {
        "trunks": current,
        "states": trunks.states(),
        "spans": spans,
        "rows": (range(_HALF), range(_HALF, 2 * _HALF)),
        "loads": {trunk.name: trunks.load(trunk, used, spans) for trunk in current},
        "traffic": trunks.traffic(midnight),
        "tests": trunks.tests(),
        "goes_on": trunks.goes_on,
        "results": RESULTS,
        "test_number": site().calls.test_number,
        "stale": health.line_answers() is False,
        "now": now,
    }


def _machine() -> dict[str, Any]:
    states = processes.states()
    answers = health.line_answers()
    return {
        "processes": [
            (
                words,
                states.get(name),
                bool(answers)
                if name == "asterisk"
                else name in states and processes.lives(states[name]),
            )
            for name, words in PROCESSES.items()
        ],
        "versions": (
            _system(),
            f"Linux {platform.release()}",
            f"Python {platform.python_version()}",
            f"SQLite {sqlite3.sqlite_version}",
        ),
        "disks": [
            (DISKS[name], health.disks.usage(folder), retention.forecast(site(), name))
            for name, folder in disks.folders(site()).items()
        ],
        "latest": runs.latest(),
        "told": runs.told(),
        "jobs": JOBS,
        "runs": RUNS,
    }


def _memory() -> tuple[float, float]:
    """(used, all) GB of the machine's memory."""
    told = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(told[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    return (total - free) / 1024**2, total / 1024**2


def _system() -> str:
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""
