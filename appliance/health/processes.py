"""The processes of the site."""

import http.client
from collections.abc import Iterator

from appliance import processes
from appliance.health.looking import N_, Check, told
from appliance.settings import Settings

_PATIENCE = 3.0  # seconds
_START = N_("Start it, and look into its log for why it ended: `journalctl -u {unit}`.")


def run(settings: Settings) -> Iterator[Check]:
    """Each process of ours runs, and the pages answer."""
    states = processes.states()
    for process in processes.OURS:
        code, name = f"process.{process}", N_("Process {process}")
        values = {"process": f"appliance {process}", "unit": f"appliance-{process}"}
        state = states.get(process)
        if not state:
            yield Check(code, name, "fail", N_("has never run"), _START, values)
        elif not processes.lives(state):
            values["moment"] = told(state.since, settings)
            yield Check(
                code, name, "fail", N_("does not run; it was started {moment}"), _START, values
            )
        elif process == "web" and not _served(settings):
            yield Check(
                code, name, "fail", N_("runs, but does not answer"), N_("Start it again."), values
            )
        else:
            values["moment"] = told(state.since, settings)
            yield Check(code, name, "ok", N_("runs since {moment}"), values=values)


def _served(settings: Settings) -> bool:
    line = http.client.HTTPConnection(settings.web.bind, timeout=_PATIENCE)
    try:
        line.request("GET", "/healthz")
        return line.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        line.close()
