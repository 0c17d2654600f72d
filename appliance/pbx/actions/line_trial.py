"""Test calls over one trunk or span, to see whether it carries calls."""

from appliance.core.settings import Settings
from appliance.models import LineTrial
from appliance.pbx.actions.lines import dialable_number
from appliance.pbx.ami import ActionRefused, Connection, Unreachable
from appliance.telephony import routing, trunks

RING_MILLISECONDS = 40_000  # longer than the dialplan's own limit


def start_line_trial(settings: Settings, trunk: str, by: str, span: int | None = None) -> LineTrial:
    """Call `calls.test_number` over a trunk, and return the test, which then is in progress.

    Its result is in trunks.latest_tests() later. `span` limits it to one E1 span; `by` is the login
    of the user who tests. Raises ActionRefused with the code "number" (the test number is not set
    or invalid), "barred" (not permitted), "trunk" (does not exist) or "busy" (a test is in
    progress); Unreachable if Asterisk does not answer.
    """
    number = dialable_number(settings, settings.calls.test_number)
    if not any(configured.name == trunk for configured in routing.current_plan(settings).trunks):
        raise ActionRefused(f"no trunk {trunk}", "trunk")
    last = trunks.latest_tests().get((trunk, span))
    if last and trunks.is_test_running(last):
        raise ActionRefused("it is being tried", "busy")
    with Connection(settings) as asterisk:
        test = trunks.begin_test(trunk, number, by, span)
        variables = {"__TEST": test.id, "__TEST_TRUNK": trunk, "__TEST_SPAN": span or ""}
        try:
            asterisk.send_action(
                "Originate",
                Channel=f"Local/{number}@test-call/n",
                Application="Wait",
                Data="10",  # seconds: longer than the dialplan lets an answered call last
                Timeout=RING_MILLISECONDS,
                Codecs="alaw",
                Async="true",
                Variable=",".join(f"{name}={value}" for name, value in variables.items()),
            )
        except (ActionRefused, Unreachable):
            trunks.end_test(test.id, "CHANUNAVAIL")
            raise
    return test
