"""The numbers that may be called; the dialplan's treatment of the same numbers is in tests/pbx."""

import pytest

from appliance.core.settings import Outgoing
from appliance.telephony import destinations
from tests.telephony.numbers_out import ALLOWED_FOR_ALL, ALLOWED_FOR_PEOPLE, BARRED

OUTGOING_RULES = Outgoing()


@pytest.mark.parametrize(("number", "dialled"), (ALLOWED_FOR_ALL | ALLOWED_FOR_PEOPLE).items())
def test_people_may_call_permitted_numbers(number: str, dialled: str) -> None:
    assert destinations.dialled_number(number) == dialled
    assert destinations.bar_reason(OUTGOING_RULES, number) == ""


@pytest.mark.parametrize("number", BARRED)
def test_nobody_may_call_barred_numbers(number: str) -> None:
    assert destinations.bar_reason(OUTGOING_RULES, number) in ("shape", "prefix")
    assert destinations.bar_reason(OUTGOING_RULES, number, machine=True)


def test_the_machine_may_call_only_listed_prefixes() -> None:
    assert {
        destinations.bar_reason(OUTGOING_RULES, number, machine=True) for number in ALLOWED_FOR_ALL
    } == {""}
    assert {
        destinations.bar_reason(OUTGOING_RULES, number, machine=True)
        for number in ALLOWED_FOR_PEOPLE
    } == {"machine"}
    wider_rules = Outgoing(machine=("+998", "+7"))
    assert destinations.bar_reason(wider_rules, "8107495123456", machine=True) == ""
    empty_rules = Outgoing(machine=())
    assert destinations.bar_reason(empty_rules, "+998901112233", machine=True) == "machine"


@pytest.mark.parametrize("prefix", ["", "+", "+99 8", "_X.", "1\n", "٣٣"])
def test_a_prefix_consists_of_digits(prefix: str) -> None:
    with pytest.raises(ValueError, match="beginning of a number"):
        Outgoing(barred=(prefix,))
