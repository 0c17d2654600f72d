"""The technician's page: what needs doing, the lines, and the machine."""

import os
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import LazyString
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from werkzeug.wrappers import Response

from appliance.box import alarms, health, links, processes, retention, runs, timetable
from appliance.box.health import Check
from appliance.box.retention import disks
from appliance.box.snapshots import log as snapshot_log
from appliance.box.snapshots import verifying
from appliance.core import audit, clock, outbox, sqlite
from appliance.messaging.sms import account_health
from appliance.pbx import actions
from appliance.telephony import calls, devices, routing, trunks
from appliance.web.shell import access
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site
from appliance.web.shell.labels import DIALLED
from appliance.web.shell.sent import bounded
from appliance.web.status.retention import DISKS
from appliance.web.status.sms import STATES as SMS_STATES

screen = Blueprint("status", __name__)

JOBS = {name: _l(title) for name, title in timetable.TITLES.items()}
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
# Asterisk's DIALSTATUS of a test call: the badge's kind, the icon
_PROVES = dict.fromkeys(("ANSWER", "BUSY", "NOANSWER"), ("ok", "check"))
_FAILED = ("bad", "octagon-alert")
TROUBLES: dict[str, LazyString] = {
    "number": _l("Set a number to call first: `calls.test_number` in the settings."),
    "barred": _l("Calls to this number are barred."),
    "trunk": _l("This trunk is no more in the plan."),
    "busy": _l("This line is being tried already."),
}
# codes of checks → what one button does about it: its name, the page or the form (POST)
_BUTTONS: tuple[tuple[str, LazyString, str], ...] = (
    ("snapshot.", _l("Make a snapshot now"), "backups.ask"),
    ("drill", _l("Start a drill"), "backups.ask"),
    ("trunk.", _l("Test call"), "status.test"),
    ("link.", _l("Links and tests"), "links.page"),
    ("self_test", _l("Links and tests"), "links.page"),
    ("telegram", _l("Links and tests"), "links.page"),
    ("sms", _l("SMS accounts"), "sms.page"),
    ("outbox", _l("Messages"), "outbox.page"),
    ("ministry", _l("Ministry's system"), "ministry.page"),
    ("recovery_key", _l("Backups"), "backups.page"),
    ("repository", _l("Backups"), "backups.page"),
    ("replica", _l("Backups"), "backups.page"),
    ("disk.", _l("Retention"), "retention.page"),
    ("prompts", _l("Prompts"), "prompts.page"),
    ("refused", _l("Telephony"), "line.page"),
)
_HALF = 16  # timeslots in a row of the drawing; 16 is the D-channel


@screen.get("/status")
@may("status.read")
def page() -> str:
    """Everything; the checks are looked at anew by each opening."""
    return render_template("status/page.html", **_checks(), **_lines(), **_machine())


@screen.get("/status/<any(checks, lines, machine):piece>")
@may("status.read")
def fragment(piece: str) -> str:
    """A piece of the open page."""
    shown = {"checks": _checks, "lines": _lines, "machine": _machine}[piece]()
    return render_template(f"status/{piece}.html", **shown)


@screen.post("/status/lines/<trunk>/test")
@may("line.test")
def test(trunk: str) -> Response:
    """Call the test number over a trunk, or over one of its spans; the result shows beside it."""
    span = request.form.get("span", type=bounded)
    if not any(one.name == trunk for one in routing.current(site()).trunks):
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


@dataclass(frozen=True)
class Button:
    """What is done about a fault: a link to a page, or a form with these fields."""

    name: LazyString
    address: str
    fields: dict[str, str] | None = None  # None: a link


def _button(check: Check) -> Button | None:
    """The one button of a check, if the reader may press it."""
    for begin, name, endpoint in _BUTTONS:
        if not check.code.startswith(begin) or not access.allowed(endpoint):
            continue
        _kind, _dot, what = check.code.partition(".")
        if endpoint == "backups.ask":
            made = "create" if begin == "snapshot." else "drill"
            fields = {"repository": what} if made == "create" else {}
            return Button(name, url_for(endpoint, kind=made), fields)
        if endpoint == "status.test":
            known = any(trunk.name == what for trunk in routing.current(site()).trunks)
            if not known or not site().calls.test_number:
                return None
            return Button(name, url_for(endpoint, trunk=what), {})
        return Button(name, url_for(endpoint))
    return None


def _checks() -> dict[str, Any]:
    """What was looked at, and the figures above it."""
    looked = alarms.current_checks(site())
    by_code = {check.code: check for check in looked}
    known = alarms.states()
    current, spans = routing.current(site()).trunks, trunks.spans()
    used = {device.name: device.channels for device in devices.trunks()}
    loads = [trunks.load(trunk, used, spans) for trunk in current]
    return {
        "checks": looked,
        "button": _button,
        "meaning": health.meaning,
        **_ways(),
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


def _ways() -> dict[str, Any]:
    """The ways out of the box and the snapshots, as their own pages have them."""
    return {
        "ways": health.channels(site()),
        "way_name": links.title,
        "sms": [s for s in account_health.standings(site()) if s.account.kind == "modem"],
        "sms_states": SMS_STATES,
        "snapshots": verifying.standing(site()),
        "drill": snapshot_log.latest("drill"),
    }


def _lines() -> dict[str, Any]:
    now = clock.now()
    midnight = now.astimezone(site().tz).replace(hour=0, minute=0, second=0, microsecond=0)
    current, spans = routing.current(site()).trunks, trunks.spans()
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
        "dialled": {code: (word, *_PROVES.get(code, _FAILED)) for code, word in DIALLED.items()},
        "test_number": site().calls.test_number,
        "stale": health.line_answers() is False,
        "now": now,
    }


def _machine() -> dict[str, Any]:
    states, living = processes.states(), processes.living(site())
    answers = health.line_answers()
    return {
        "processes": [
            (
                words,
                states.get(name),
                bool(answers) if name == "asterisk" else bool(living[name]),
            )
            for name, words in PROCESSES.items()
        ],
        "versions": (
            _system(),
            f"Linux {platform.release()}",
            f"Python {platform.python_version()}",
            f"SQLite {sqlite.version}",
        ),
        "disks": [
            (DISKS[name], health.disks.usage(folder), retention.forecast(site(), name))
            for name, folder in disks.folders(site()).items()
        ],
        "latest": (latest := runs.latest()),
        "unwell": [run for run in latest if run.state in ("failed", "lost")],
        "told": runs.eventful(),
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
