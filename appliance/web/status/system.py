"""The technician's page: the self-checks and what to do about them, the lines, the machine."""

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

from appliance.box import alarms, health, processes, retention, runs, timetable
from appliance.box.health import Check
from appliance.box.links import wording
from appliance.box.retention import disks
from appliance.box.snapshots import log as snapshot_log
from appliance.box.snapshots import verifying
from appliance.core import audit, clock, outbox, sqlite
from appliance.messaging.sms import account_health
from appliance.pbx import actions
from appliance.telephony import calls, devices, routing, trunks
from appliance.web.shell import access
from appliance.web.shell.access import may
from appliance.web.shell.context import me, site, start_of_today
from appliance.web.shell.labels import DIAL_STATUS_NAMES
from appliance.web.shell.request_data import parse_count
from appliance.web.status.retention import DISK_LABELS
from appliance.web.status.sms import STATES as SMS_STATES

screen = Blueprint("status", __name__)

JOBS = {name: _l(title) for name, title in timetable.JOB_TITLES.items()}
# By state of a run of a scheduled job: its name, the badge's kind, the icon.
RUN_STATES: dict[str, tuple[LazyString, str, str]] = {
    "running": (_l("Running"), "accent", "hourglass"),
    "done": (_l("Done"), "ok", "circle-check"),
    "failed": (_l("Failed"), "bad", "octagon-alert"),
    "lost": (_l("Interrupted"), "warn", "triangle-alert"),
    "new": (_l("Not run yet"), "", "clock"),
}
PROCESSES: dict[str, LazyString] = {
    "asterisk": _l("Telephone exchange"),
    "pbx": _l("Ledger and lines"),
    "web": _l("Pages"),
    "jobs": _l("Scheduled jobs"),
}
# Statuses (Asterisk's DIALSTATUS) of a test call that prove that the line works: the badge's kind,
# the icon.
_PROVING_RESULTS = dict.fromkeys(("ANSWER", "BUSY", "NOANSWER"), ("ok", "check"))
_FAILURE_BADGE = ("bad", "octagon-alert")
TROUBLES: dict[str, LazyString] = {
    "number": _l("First set a number to call: `calls.test_number` in the settings."),
    "barred": _l("Calls to this number are barred."),
    "trunk": _l("This trunk is no longer in the plan."),
    "busy": _l("This line is already being checked."),
}
# Prefix of the code of a check, name of the button that helps if it fails, and endpoint: a page to
# open, or a form to submit.
_BUTTONS: tuple[tuple[str, LazyString, str], ...] = (
    ("snapshot.", _l("Make a snapshot now"), "backups.request_action"),
    ("drill", _l("Start a restore test"), "backups.request_action"),
    ("trunk.", _l("Test call"), "status.start_line_test"),
    ("link.", _l("Links and tests"), "links.show_links"),
    ("self_test", _l("Links and tests"), "links.show_links"),
    ("telegram", _l("Links and tests"), "links.show_links"),
    ("sms", _l("SMS accounts"), "sms.show_sms_accounts"),
    ("outbox", _l("Messages"), "outbox.show_outbox"),
    ("ministry", _l("Ministry's system"), "ministry.show_ministry"),
    ("recovery_key", _l("Backups"), "backups.show_backups"),
    ("repository", _l("Backups"), "backups.show_backups"),
    ("replica", _l("Backups"), "backups.show_backups"),
    ("disk.", _l("Retention"), "retention.show_retention"),
    ("prompts", _l("Prompts"), "prompts.list_prompts"),
    ("refused", _l("Telephony"), "line.show_stages"),
)
_TIMESLOTS_PER_ROW = 16  # timeslots in a row of the drawing; 16 is the D-channel


@screen.get("/status")
@may("status.read")
def show_status() -> str:
    """Show the checks, the lines and the machine; opening the page runs the quick checks again."""
    return render_template(
        "status/page.html", **_checks_context(), **_lines_context(), **_machine_context()
    )


@screen.get("/status/<any(checks, lines, machine):piece>")
@may("status.read")
def show_fragment(piece: str) -> str:
    """Show the checks, the lines or the machine, as a fragment of the open page."""
    context = {"checks": _checks_context, "lines": _lines_context, "machine": _machine_context}[
        piece
    ]()
    return render_template(f"status/{piece}.html", **context)


@screen.post("/status/lines/<trunk>/test")
@may("line.test")
def start_line_test(trunk: str) -> Response:
    """Start a call to the test number over a trunk or one of its spans (E1 lines).

    The result appears on the page, next to the line.
    """
    span = request.form.get("span", type=parse_count)
    if not any(candidate.name == trunk for candidate in routing.current_plan(site()).trunks):
        abort(404)
    try:
        line_test = actions.start_line_trial(site(), trunk, me().login, span)
    except actions.ActionRefused as error:
        flash(str(TROUBLES.get(error.code, _("The exchange did not do it. Try again."))))
    except actions.Unreachable:
        flash(_("The exchange does not answer."))
    else:
        audit.record_entry(me().login, "line.test", trunk, span=span, number=line_test.number)
        flash(_("The line is being checked; the result appears next to it."))
    return redirect(url_for("status.show_status"))


@dataclass(frozen=True)
class Button:
    """A button next to a failed check: a link to a page, or a form with these hidden fields."""

    name: LazyString
    address: str
    fields: dict[str, str] | None = None  # only a form has them


def _repair_button(check: Check) -> Button | None:
    """Return the button that helps with a failed check, if there is one and the user may use it.

    A check about one of several trunks or repositories has its name in the code, after a dot:
    `trunk.carrier`.
    """
    for prefix, name, endpoint in _BUTTONS:
        if not check.code.startswith(prefix) or not access.can_open(endpoint):
            continue
        _kind, _dot, target = check.code.partition(".")
        if endpoint == "backups.request_action":
            kind = "create" if prefix == "snapshot." else "drill"
            fields = {"repository": target} if kind == "create" else {}
            return Button(name, url_for(endpoint, kind=kind), fields)
        if endpoint == "status.start_line_test":
            is_in_plan = any(trunk.name == target for trunk in routing.current_plan(site()).trunks)
            if not is_in_plan or not site().calls.test_number:
                return None
            return Button(name, url_for(endpoint, trunk=target), {})
        return Button(name, url_for(endpoint))
    return None


def _checks_context() -> dict[str, Any]:
    """Return the template context of the self-checks and of the figures above them.

    `since` is when a check got its present state, by code; `takes_calls`: Asterisk can receive
    calls; `channels` is the number of calls on all trunks, `capacity` the largest possible one;
    `lag` is by how many seconds the ledger of calls is behind Asterisk; `load` is that of the
    machine's processors.
    """
    checks = alarms.current_checks(site())
    by_code = {check.code: check for check in checks}
    states = alarms.check_states()
    current, spans = routing.current_plan(site()).trunks, trunks.span_states()
    used = {device.name: device.channels for device in devices.list_trunks()}
    loads = [trunks.trunk_load(trunk, used, spans) for trunk in current]
    return {
        "checks": checks,
        "button": _repair_button,
        "meaning": health.call_consequence,
        **_external_links_context(),
        "counts": {state: sum(c.state == state for c in checks) for state in health.STATES},
        "since": {
            code: row.since
            for code, row in states.items()
            if code in by_code and by_code[code].state == row.state
        },
        "takes_calls": by_code["asterisk.sip"].state == "ok",
        "talks": sum(call.stage == "talk" for call in calls.live_calls()),
        "channels": sum(busy for busy, _limit in loads),
        # a limit of 0 means no limit: then there is no total
        "capacity": sum(limit for _busy, limit in loads) if all(n for _b, n in loads) else None,
        "load": os.getloadavg()[0],
        "cores": os.cpu_count() or 1,
        "memory": _memory_usage(),
        "ages": outbox.queue_ages(),
        "lag": health.ledger_lag_seconds(site()),
        "clock_check": by_code.get("clock"),
        "at": clock.now(),
    }


def _external_links_context() -> dict[str, Any]:
    """Return the template context of the table "External links and copies".

    It has the links to outside parties and their services (`ways`), the SMS modems, which need no
    such link, the repositories of snapshots, and the last restore test (`drill`).
    """
    return {
        "ways": health.channel_states(site()),
        "way_name": wording.link_title,
        "sms": [s for s in account_health.account_statuses(site()) if s.account.kind == "modem"],
        "sms_states": SMS_STATES,
        "snapshots": verifying.repository_standings(site()),
        "drill": snapshot_log.latest_snapshot_run("drill"),
    }


def _lines_context() -> dict[str, Any]:
    """Return the template context of the lines: trunks, their E1 spans, and test calls.

    `rows` are the timeslots of a span, in the two rows of its drawing; `loads` has (calls, maximum)
    of each trunk; `goes_on` returns True while a line is being tested; `stale`: Asterisk does not
    respond, so the states may be out of date.
    """
    now = clock.now()
    midnight = start_of_today()
    current, spans = routing.current_plan(site()).trunks, trunks.span_states()
    used = {device.name: device.channels for device in devices.list_trunks()}
    return {
        "trunks": current,
        "states": trunks.trunk_states(),
        "spans": spans,
        "rows": (range(_TIMESLOTS_PER_ROW), range(_TIMESLOTS_PER_ROW, 2 * _TIMESLOTS_PER_ROW)),
        "loads": {trunk.name: trunks.trunk_load(trunk, used, spans) for trunk in current},
        "traffic": trunks.trunk_traffic(midnight),
        "tests": trunks.latest_tests(),
        "goes_on": trunks.is_test_running,
        "dialled": {
            code: (word, *_PROVING_RESULTS.get(code, _FAILURE_BADGE))
            for code, word in DIAL_STATUS_NAMES.items()
        },
        "test_number": site().calls.test_number,
        "stale": health.is_exchange_alive() is False,
        "now": now,
    }


def _machine_context() -> dict[str, Any]:
    """Return the template context of the machine: processes, versions, disks, scheduled jobs.

    `latest` has the last run of each job, `unwell` those of them that failed or were interrupted,
    `told` the last runs that had a result or failed.
    """
    states, living = processes.process_states(), processes.running_processes(site())
    answers = health.is_exchange_alive()
    return {
        "processes": [
            (
                label,
                states.get(name),
                bool(answers) if name == "asterisk" else bool(living[name]),
            )
            for name, label in PROCESSES.items()
        ],
        "versions": (
            _system_name(),
            f"Linux {platform.release()}",
            f"Python {platform.python_version()}",
            f"SQLite {sqlite.version}",
        ),
        "disks": [
            (
                DISK_LABELS[name],
                health.disks.free_and_total_gb(folder),
                retention.disk_forecast(site(), name),
            )
            for name, folder in disks.disk_folders(site()).items()
        ],
        "latest": (latest := runs.latest_runs()),
        "unwell": [run for run in latest if run.state in ("failed", "lost")],
        "told": runs.eventful_runs(),
        "jobs": JOBS,
        "runs": RUN_STATES,
    }


def _memory_usage() -> tuple[float, float]:
    """Return how much memory the machine uses and has, in GB: (used, total)."""
    values = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
    total, free = (int(values[key].split()[0]) for key in ("MemTotal", "MemAvailable"))
    return (total - free) / 1024**2, total / 1024**2


def _system_name() -> str:
    """Return the name of the operating system, "" if it is unknown."""
    try:
        return platform.freedesktop_os_release().get("PRETTY_NAME", "")
    except OSError:
        return ""
