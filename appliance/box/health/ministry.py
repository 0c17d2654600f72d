"""The ministry's own system."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.channels import MINISTRY_TROUBLES
from appliance.box.health.check import Check
from appliance.casework.ministry import events, link, queue
from appliance.core.i18n import N_
from appliance.core.settings import Settings

WAIT_WARNING, WAIT_FAILURE = dt.timedelta(hours=2), dt.timedelta(days=2)  # of the oldest appeal


def check_ministry_link(settings: Settings) -> Iterator[Check]:
    """Check that no appeal waits for long or was refused, and the ministry's events are handled."""
    if not settings.ministry:
        return
    code, name = "ministry", N_("Link to the ministry's system")
    standing, state = queue.exchange_backlog(), link.link_state()
    values = {
        "waiting": str(standing.queued + standing.sent),
        "hours": str(int(standing.oldest.total_seconds() // 3600)),
        "refused": str(standing.refused),
    }
    trouble = state.trouble if settings.ministry.url else ""  # not of a link no longer in use
    if trouble == "log_in":
        advice = N_(
            "Check the token in the [ministry] section of the settings, then restart `appliance "
            "jobs`."
        )
        yield Check(code, name, "fail", MINISTRY_TROUBLES[trouble], advice)
    elif trouble in MINISTRY_TROUBLES:
        advice = N_("The page Ministry's system shows the reason and what to do.")
        yield Check(code, name, "fail", MINISTRY_TROUBLES[trouble], advice)
    elif standing.oldest >= WAIT_WARNING:
        advice = (
            N_("Check the internet connection, and that `appliance jobs` is running.")
            if settings.ministry.url
            else N_("Take the signed files there, and import the receipts.")
        )
        grade = "fail" if standing.oldest >= WAIT_FAILURE else "warn"
        finding = N_("{waiting} appeals have not arrived there yet, the oldest for {hours} h")
        yield Check(code, name, grade, finding, advice, values)
    else:
        yield Check(code, name, "ok", N_("no appeal has been waiting for long"))
    file_link = link.link_state(link.FILES)
    if file_link.trouble:
        finding = N_("the file {file} was not accepted")
        advice = N_("The page Ministry's system shows the reason and what to do.")
        yield Check(
            "ministry.file", name, "fail", finding, advice, {"file": file_link.trouble_text}
        )
    code, name = "ministry.refused", N_("Ministry's system")
    advice = N_("The page Ministry's system shows the reason and what to do.")
    if standing.refused:
        yield Check(code, name, "fail", N_("{refused} appeals were refused"), advice, values)
    if events.unprocessed_events(1):
        finding = N_("something reported by the ministry was not carried out")
        yield Check("ministry.undone", name, "warn", finding, advice)
