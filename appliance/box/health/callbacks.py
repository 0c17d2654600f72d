"""The daily limit of automatic calls."""

from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import followups


def check_machine_call_limit(settings: Settings) -> Iterator[Check]:
    """Check that the automatic calls of today have not used up their daily limit."""
    usage = followups.daily_usage(followups.calling_rules(settings))
    is_exhausted = usage.calls and not usage.remaining_calls
    yield Check(
        "callbacks",
        N_("Calls by the system, today"),
        "fail" if is_exhausted else "ok",
        N_("{calls} of {most} calls, {minutes} of {longest} minutes"),
        N_(
            "The system calls nobody until midnight. See on the page Missed callers whom it "
            "called: somebody may be causing it to call premium numbers. If everything is in "
            "order, raise `outgoing.machine_calls` or `outgoing.machine_minutes`."
        )
        if is_exhausted
        else "",
        {
            "calls": str(usage.calls),
            "most": str(usage.rules.machine_calls),
            "minutes": str(usage.minutes),
            "longest": str(usage.rules.machine_minutes),
        },
    )
