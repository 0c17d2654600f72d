"""Self-tests of the site: a test call through the real dialplan, and a drill without a network."""

import contextlib

from appliance.box import selftests
from appliance.box.selftests import SelfTestResult
from appliance.core import clock
from appliance.core.settings import Settings

__all__ = [
    "offline",  # a module: it loads an HTTP client
    "place_carrier_calls",
    "place_synthetic_call",
]


def place_carrier_calls(settings: Settings, name: str = "") -> dict[str, SelfTestResult]:
    """Place a test call over each trunk for which one is due, or over the trunk `name`.

    Returns the results by trunk. Each call takes about five seconds, and waits while another test
    call is in progress. Raises LookupError if there is no such trunk.
    """
    from appliance.pbx.selftest import carrier  # loads a SIP phone, as below

    eligible_names = [trunk.name for trunk in carrier.eligible_trunks(settings)]
    names = (
        [name]
        if name
        else [
            trunk_name
            for trunk_name in eligible_names
            if selftests.is_trunk_call_due(settings, trunk_name)
        ]
    )
    return {trunk_name: carrier.place_carrier_call(settings, trunk_name) for trunk_name in names}


def place_synthetic_call(settings: Settings) -> SelfTestResult:
    """Place a test call, check what is stored about it, and record the result.

    The call arrives as a citizen's does, but it is marked in the ledger and rings no operator. It
    takes about twenty seconds, and waits while another test call is in progress.
    """
    from appliance.pbx.selftest.call import (  # loads a SIP phone and its event loop
        CallScenario,
        run_scenario,
    )
    from appliance.pbx.selftest.steps import StepFailed, hold_test_line

    line = selftests.self_test_line(settings)
    scenario = CallScenario(
        settings,
        caller=(line.name, line.secret),
        phone=(line.phone, line.secret),
        from_host=settings.asterisk.address,
    )
    with hold_test_line(settings):
        started_at = clock.now()
        # The failed step, recorded in the steps, becomes the result.
        with contextlib.suppress(StepFailed):
            run_scenario(scenario)
            with scenario.steps.time_step("marked"):
                if not scenario.row or not scenario.row.synthetic:
                    raise StepFailed("it counts as a citizen's call")
    result = SelfTestResult(
        "call",
        started_at,
        tuple(scenario.steps.finished),
        scenario.steps.failed_step,
        scenario.steps.detail,
        scenario.row.id if scenario.row else "",
    )
    selftests.save_result(result)
    return result
