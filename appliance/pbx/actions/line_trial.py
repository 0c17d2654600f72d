"""A call over one trunk or span, to see whether it carries calls."""

from appliance.core.settings import Settings
from appliance.models import LineTrial
from appliance.pbx.actions.lines import dialled
from appliance.pbx.ami import Connection, Refused, Unreachable
from appliance.telephony import routing, trunks

RINGS = 40_000  # milliseconds, longer than the dialplan tries


def try_line(settings: Settings, trunk: str, by: str, span: int | None = None) -> LineTrial:
    """Call `calls.test_number` over a trunk; what comes of it is told by trunks.tests().

    Raises Refused: "number" (none is set), "barred", "trunk" (there is none), "busy" (it
    is being tried); Unreachable.
    """
    number = dialled(settings, settings.calls.test_number)
    if not any(one.name == trunk for one in routing.current(settings).trunks):
        raise Refused(f"no trunk {trunk}", "trunk")
    last = trunks.tests().get((trunk, span))
    if last and trunks.goes_on(last):
        raise Refused("it is being tried", "busy")
    with Connection(settings) as asterisk:
        test = trunks.begin_test(trunk, number, by, span)
        variables = {"__TEST": test.id, "__TEST_TRUNK": trunk, "__TEST_SPAN": span or ""}
        try:
            asterisk.act(
                "Originate",
                Channel=f"Local/{number}@test-call/n",
                Application="Wait",
                Data="10",
                Timeout=RINGS,
                Codecs="alaw",
                Async="true",
                Variable=",".join(f"{name}={value}" for name, value in variables.items()),
            )
        except (Refused, Unreachable):
            trunks.end_test(test.id, "CHANUNAVAIL")
            raise
    return test
