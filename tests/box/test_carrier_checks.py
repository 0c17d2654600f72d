"""What a test call over a trunk says of the carrier, and what it does not."""

from appliance.box import selftests
from appliance.box.selftests import Result
from appliance.core import clock


def test_an_exchange_that_does_not_answer_is_no_fault_of_the_carrier(settings) -> None:
    """Its restart let the phone of the test call register nowhere: no call was placed."""
    for failed in ("", "phone", "busy"):
        selftests.record(Result("carrier.one", clock.now(), (), failed))
    for failed in ("back", "phone"):
        selftests.record(Result("carrier.two", clock.now(), (), failed))
    selftests.record(Result("carrier.three", clock.now(), (), "phone"))
    placed = {trunk: test.failed for trunk, test in selftests.over_trunks().items()}
    assert placed == {"one": "", "two": "back"}
