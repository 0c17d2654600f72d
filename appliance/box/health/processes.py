"""The processes of the site."""

import datetime as dt
import http.client
from collections.abc import Iterator

from appliance.box import processes
from appliance.box.health.check import Check, moment_text
from appliance.core import clock
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.models import CheckState

_PATIENCE = 3.0  # seconds
_START = N_("Start it, and look into its log for why it ended: `journalctl -u {unit}`.")
_AGAIN = N_("Start it again: `systemctl restart {unit}`; its log before that says where it hangs.")
LOOKS_WITHIN = dt.timedelta(seconds=45)  # the jobs look every ten seconds
_NO_ALARMS = N_(
    "No other fault raises an alarm until it looks again. Start it again: `systemctl restart "
    "{unit}`; its log before that says where it hangs."
)
_ONE = N_(
    "End the one too many: `systemctl status {unit}` names the right one; the other was started by "
    "hand or was left over: `kill` it."
)


def run(settings: Settings) -> Iterator[Check]:
    """Each process of ours runs, and the pages answer."""
    living = processes.living(settings)
    for process in processes.OURS:
        yield _look(settings, process, living[process])


def jobs(settings: Settings) -> Check:
    """The one that reports all other faults, and does look: the pbx process watches it."""
    return _look(settings, "jobs", processes.living(settings)["jobs"])


def _idle_since(sign: processes.Sign) -> dt.datetime | None:
    """Since when the jobs run and look at nothing; None while they look in time.

    Their signs of life come from the main loop, which runs on while the checking thread hangs.
    """
    newest = CheckState.select(CheckState.looked_at).order_by(CheckState.looked_at.desc())
    last = max(filter(None, (newest.limit(1).scalar(), sign.since)))
    return last if clock.now() - last > LOOKS_WITHIN else None


def _look(settings: Settings, process: str, signs: list[processes.Sign]) -> Check:
    code, name = f"process.{process}", N_("Process {process}")
    values = {"process": f"appliance {process}", "unit": f"appliance-{process}"}
    if not signs:
        state = processes.states().get(process)
        if not state:
            return Check(code, name, "fail", N_("has never run"), _START, values)
        values["moment"] = moment_text(state.since, settings)
        seen = N_("does not run; it was started {moment}")
        return Check(code, name, "fail", seen, _START, values)
    values["moment"] = moment_text(signs[0].since, settings)
    if len(signs) > 1:
        pids = ", ".join(sign.holder.partition(":")[0] for sign in signs)
        values |= {"count": str(len(signs)), "pids": pids}
        return Check(code, name, "fail", N_("runs {count} times: {pids}"), _ONE, values)
    if signs[0].hangs:
        seen = N_("hangs: no sign of life for {seconds} s")
        return Check(code, name, "fail", seen, _AGAIN, values | {"seconds": _whole(signs[0].ago)})
    if process == "jobs" and (idle := _idle_since(signs[0])):
        values |= {"moment": moment_text(idle, settings)}
        seen = N_("runs, but has looked at nothing since {moment}")
        return Check(code, name, "fail", seen, _NO_ALARMS, values)
    if process == "web" and not _served(settings):
        return Check(code, name, "fail", N_("runs, but does not answer"), _AGAIN, values)
    return Check(code, name, "ok", N_("runs since {moment}"), values=values)


def _whole(seconds: float) -> str:
    return f"{min(seconds, 1e6):.0f}"


def _served(settings: Settings) -> bool:
    return processes.serves(http.client.HTTPConnection(settings.web.bind, timeout=_PATIENCE))
