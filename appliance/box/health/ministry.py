"""The ministry's own system."""

import datetime as dt
from collections.abc import Iterator

from appliance.box.health.channels import MINISTRY_TROUBLES
from appliance.box.health.check import Check
from appliance.casework import ministry as system
from appliance.casework.ministry import link
from appliance.core.i18n import N_
from appliance.core.settings import Settings

UNSENT, UNSENT_LONG = dt.timedelta(hours=2), dt.timedelta(days=2)  # of the oldest appeal


def ministry(settings: Settings) -> Iterator[Check]:
    """No appeal waits for long to be there, none was refused, all that it told is done."""
    if not settings.ministry:
        return
    code, name = "ministry", N_("Link to the ministry's system")
    now, state = system.standing(), link.state()
    values = {
        "waiting": str(now.queued + now.sent),
        "hours": str(int(now.oldest.total_seconds() // 3600)),
        "refused": str(now.refused),
    }
    trouble = state.trouble if settings.ministry.url else ""  # of a way that is not gone any more
    if trouble == "log_in":
        advice = N_("Check the token in the [ministry] settings, then restart `appliance jobs`.")
        yield Check(code, name, "fail", MINISTRY_TROUBLES[trouble], advice)
    elif trouble in MINISTRY_TROUBLES:
        advice = N_("The page Ministry's system says why and what to do.")
        yield Check(code, name, "fail", MINISTRY_TROUBLES[trouble], advice)
    elif now.oldest >= UNSENT:
        advice = (
            N_("Look at the internet link, and whether `appliance jobs` runs.")
            if settings.ministry.url
            else N_("Carry the signed files there, and take the receipts in.")
        )
        grade = "fail" if now.oldest >= UNSENT_LONG else "warn"
        seen = N_("{waiting} appeals are not there yet, the oldest for {hours} h")
        yield Check(code, name, grade, seen, advice, values)
    else:
        yield Check(code, name, "ok", N_("no appeal waits for long"))
    by_files = link.state(link.FILES)
    if by_files.trouble:
        seen = N_("the file {file} was not taken")
        advice = N_("The page Ministry's system says why and what to do.")
        yield Check("ministry.file", name, "fail", seen, advice, {"file": by_files.trouble_text})
    code, name = "ministry.refused", N_("Ministry's system")
    advice = N_("The page Ministry's system says why and what to do.")
    if now.refused:
        yield Check(code, name, "fail", N_("{refused} appeals were refused"), advice, values)
    if system.undone(1):
        seen = N_("something told by the ministry is not done")
        yield Check("ministry.undone", name, "warn", seen, advice)
