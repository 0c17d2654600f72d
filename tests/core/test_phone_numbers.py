"""Phone numbers of which only a few digits are shown."""

import pytest

from appliance.core import phone_numbers


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("+998935550147", "+99893 *** ** 47"),
        ("93 555-01-47", "+99893 *** ** 47"),
        ("+77012345678", "+77012 *** ** 78"),
        ("1001", "**01"),
        ("47", "47"),
        ("93 555 01 4", "** *** *1 4"),
        ("", ""),
    ],
)
def test_a_masked_number_shows_the_last_two_digits(text: str, masked: str) -> None:
    assert phone_numbers.masked_number(text) == masked
