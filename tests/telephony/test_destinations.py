"""Where a call out may go; what the dialplan makes of the same numbers is in tests/pbx."""

import pytest

from appliance.core.settings import Outgoing
from appliance.telephony import destinations
from tests.telephony.numbers_out import ABROAD, BARRED, PEOPLE

RULES = Outgoing()


@pytest.mark.parametrize(("asked", "called"), (PEOPLE | ABROAD).items())
def test_people_may_call(asked: str, called: str) -> None:
    assert destinations.going(asked) == called
    assert destinations.barred(RULES, asked) == ""


@pytest.mark.parametrize("asked", BARRED)
def test_nobody_may_call(asked: str) -> None:
    assert destinations.barred(RULES, asked) in ("shape", "prefix")
    assert destinations.barred(RULES, asked, machine=True)


def test_the_machine_calls_only_what_is_listed() -> None:
    assert {destinations.barred(RULES, number, machine=True) for number in PEOPLE} == {""}
    assert {destinations.barred(RULES, number, machine=True) for number in ABROAD} == {"machine"}
    also = Outgoing(machine=("+998", "+7"))
    assert destinations.barred(also, "8107495123456", machine=True) == ""
    nobody = Outgoing(machine=())
    assert destinations.barred(nobody, "+998901112233", machine=True) == "machine"


@pytest.mark.parametrize("prefix", ["", "+", "+99 8", "_X.", "1\n", "٣٣"])
def test_a_prefix_is_digits(prefix: str) -> None:
    with pytest.raises(ValueError, match="beginning of a number"):
        Outgoing(barred=(prefix,))
