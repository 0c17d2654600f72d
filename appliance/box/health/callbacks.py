"""How much the machine calls by itself."""

from collections.abc import Iterator

from appliance.box.health.check import Check
from appliance.core.i18n import N_
from appliance.core.settings import Settings
from appliance.telephony import followups


def limit(settings: Settings) -> Iterator[Check]:
    """The machine has not called as much today as it may."""
    spent = followups.spent(followups.rules(settings))
    reached = spent.calls and not spent.left
    yield Check(
        "callbacks",
        N_("Calls by the machine, today"),
        "fail" if reached else "ok",
        N_("{calls} of {most} calls, {minutes} of {longest} minutes"),
        N_(
            "Until midnight the machine calls nobody. See on the page Missed callers whom it "
            "called: somebody may have it call numbers that cost money. If all is well, raise "
            "`outgoing.machine_calls` or `outgoing.machine_minutes`."
        )
        if reached
        else "",
        {
            "calls": str(spent.calls),
            "most": str(spent.rules.machine_calls),
            "minutes": str(spent.minutes),
            "longest": str(spent.rules.machine_minutes),
        },
    )
