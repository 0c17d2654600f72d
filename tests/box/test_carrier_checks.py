"""Which results of test calls over a trunk are attributed to the carrier."""

from appliance.box import selftests
from appliance.box.selftests import SelfTestResult
from appliance.core import clock


def test_an_exchange_that_does_not_answer_is_not_a_fault_of_the_carrier(settings) -> None:
    """While it restarted, the phone of the test call could not register, so no call was placed."""
    for failed in ("", "phone", "busy"):
        selftests.save_result(SelfTestResult("carrier.one", clock.now(), (), failed))
    for failed in ("back", "phone"):
        selftests.save_result(SelfTestResult("carrier.two", clock.now(), (), failed))
    selftests.save_result(SelfTestResult("carrier.three", clock.now(), (), "phone"))
    placed = {trunk: test.failed for trunk, test in selftests.latest_trunk_calls().items()}
    assert placed == {"one": "", "two": "back"}
