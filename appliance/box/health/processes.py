"""The processes of the site."""

import datetime as dt
import http.client
from collections.abc import Iterator

from appliance.box import processes
from appliance.box.health.check import Check, local_time_text
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import CheckState

_WEB_TIMEOUT_SECONDS = 3.0  # seconds
_START_ADVICE = N_("Start it, and check in its log why it ended: `journalctl -u {unit}`.")
_RESTART_ADVICE = N_(
    "Restart it: `systemctl restart {unit}`; its earlier log shows where it hangs."
)
MAX_CHECK_AGE = dt.timedelta(seconds=45)  # the jobs check every ten seconds
_IDLE_JOBS_ADVICE = N_(
    "Other faults raise no alarm until it checks again. Restart it: `systemctl restart {unit}`; "
    "its earlier log shows where it hangs."
)
_DUPLICATE_ADVICE = N_(
    "Stop the extra process: `systemctl status {unit}` shows the right one; the other was started "
    "by hand or is a leftover: `kill` it."
)


def check_processes(settings: Settings) -> Iterator[Check]:
    """Check that each process of the appliance runs, and the pages answer."""
    heartbeats = processes.running_processes(settings)
    for process in processes.PROCESS_NAMES:
        yield _process_check(settings, process, heartbeats[process])


def jobs_process_check(settings: Settings) -> Check:
    """Return the check of the jobs process, for the pbx process: the jobs report other faults."""
    return _process_check(settings, "jobs", processes.running_processes(settings)["jobs"])


def _idle_since(heartbeat: processes.Heartbeat) -> dt.datetime | None:
    """Return since when the jobs process checks nothing; None while it checks in time.

    Its heartbeats come from the main loop, which runs on while the checking thread hangs.
    """
    newest_look = CheckState.select(CheckState.looked_at).order_by(CheckState.looked_at.desc())
    last_look = max(filter(None, (newest_look.limit(1).scalar(), heartbeat.since)))
    return last_look if clock.now() - last_look > MAX_CHECK_AGE else None


def _process_check(
    settings: Settings, process: str, heartbeats: list[processes.Heartbeat]
) -> Check:
    code, name = f"process.{process}", N_("Process {process}")
    values = {"process": f"appliance {process}", "unit": f"appliance-{process}"}
    if not heartbeats:
        state = processes.process_states().get(process)
        if not state:
            return Check(code, name, "fail", N_("has never run"), _START_ADVICE, values)
        values["moment"] = local_time_text(state.since, settings)
        finding = N_("not running; it was started {moment}")
        return Check(code, name, "fail", finding, _START_ADVICE, values)
    values["moment"] = local_time_text(heartbeats[0].since, settings)
    if len(heartbeats) > 1:
        pids = ", ".join(heartbeat.holder.partition(":")[0] for heartbeat in heartbeats)
        values |= {"count": str(len(heartbeats)), "pids": pids}
        return Check(
            code, name, "fail", N_("running {count} times: {pids}"), _DUPLICATE_ADVICE, values
        )
    if heartbeats[0].is_hanging:
        finding = N_("hangs: no activity for {seconds} s")
        return Check(
            code,
            name,
            "fail",
            finding,
            _RESTART_ADVICE,
            values | {"seconds": _seconds_text(heartbeats[0].age_seconds)},
        )
    if process == "jobs" and (idle_since := _idle_since(heartbeats[0])):
        values |= {"moment": local_time_text(idle_since, settings)}
        finding = N_("running, but has checked nothing since {moment}")
        return Check(code, name, "fail", finding, _IDLE_JOBS_ADVICE, values)
    if process == "web" and not _is_web_serving(settings):
        return Check(
            code, name, "fail", N_("running, but does not answer"), _RESTART_ADVICE, values
        )
    return Check(code, name, "ok", N_("running since {moment}"), values=values)


def _seconds_text(seconds: float) -> str:
    """Format seconds without decimals, limited to a million."""
    return f"{min(seconds, 1e6):.0f}"


def _is_web_serving(settings: Settings) -> bool:
    """Whether the web process answers."""
    return processes.is_serving(
        http.client.HTTPConnection(settings.web.bind, timeout=_WEB_TIMEOUT_SECONDS)
    )
