"""How personal numbers and dates are read, and which doubts they raise."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework import identity
from appliance.core import phone_numbers

TODAY = dt.date(2026, 11, 24)
# The samples in the Cabinet of Ministers' resolutions 200 (1996) and 177 (2022).
MAN, WOMAN = "31210632040244", "40201902050010"


def doubt_codes(**values: str) -> set[str]:
    return {str(doubt) for doubt in identity.identity_doubts(values, TODAY)}


def test_a_pinfl_contains_sex_and_birth_date():
    assert identity.parse_pinfl(MAN) == identity.PinflFacts("m", dt.date(1963, 10, 12))
    assert identity.parse_pinfl("4 020190 205 001 0") == identity.PinflFacts(
        "f", dt.date(1990, 1, 2)
    )


@pytest.mark.parametrize(
    "text", ["", "3121063204024", MAN[:-1] + "5", "91210632040244", "33302632040248", "٣" * 14]
)
def test_an_invalid_pinfl_is_not_read(text):
    assert identity.parse_pinfl(text) is None


@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("901234567", "+998901234567"),
        ("+998 (93) 555-01-47", "+998935550147"),
        ("998935550147", "+998935550147"),
        ("8 (71) 200-06-00", "+998712000600"),
        ("00998712000600", "+998712000600"),
        ("1140", "1140"),
        ("+7 495 123 45 67", "+74951234567"),
        ("8 10 7 495 123-45-67", "+74951234567"),
        ("8 10 998 93 555 01 47", "+998935550147"),
        ("+44 (0)20 7946 0958", "+442079460958"),
        ("8 93 555 01 47", "+998935550147"),
        ("+998 93 555 01 4", None),
        ("+998 93 555 01 477", None),
        ("998 93 555 01 4", None),
        ("00 998 93 555 01 477", None),
        ("8 10 998 93 555 01 4", None),
        ("+7 495 123 45", None),
        ("+7 495 123 45 678", None),
        ("+999 123 45 67", None),
        ("+1140", None),
        ("٩٣٥٥٥٠١٤٧", None),
        ("12 345 67 89", None),
        ("yoʻq", None),
        ("", None),
    ],
)
def test_phone_numbers_are_read_as_people_write_them(typed, expected):
    assert phone_numbers.canonical_number(typed) == expected


@given(st.text() | st.from_regex(r"(\+|00|8 ?10 ?|8 ?)?[0-9 ()-]{0,20}", fullmatch=True))
def test_a_canonical_phone_number_stays_unchanged(typed):
    if canonical := phone_numbers.canonical_number(typed):
        assert phone_numbers.canonical_number(canonical) == canonical
        assert re.fullmatch(r"\+[1-9]\d{6,14}|\d{2,5}", canonical, re.ASCII)
        assert not canonical.startswith("+998") or len(canonical) == 13


@given(st.from_regex(r"(20|33|50|61|71|88|90|9[3578])[0-9]{7}", fullmatch=True), st.data())
def test_every_spelling_of_an_uzbek_number_gives_the_same_number(local, data):
    way = data.draw(st.sampled_from(["{}", "8{}", "998{}", "+998{}", "00998{}", "810998{}"]))
    spelling = " ".join(way.format(local)) if data.draw(st.booleans()) else way.format(local)
    assert phone_numbers.canonical_number(spelling) == f"+998{local}"


@given(st.from_regex(r"[0-9]{1,8}|[0-9]{10,11}", fullmatch=True))
def test_a_missing_or_extra_digit_raises_a_doubt(rest):
    assert doubt_codes(phone=f"+998{rest}") == {"phone:form"}


@given(st.text())
def test_any_phone_text_raises_at_most_a_doubt(typed):
    assert doubt_codes(phone=typed) <= {"phone:form"}


def test_phone_numbers_are_grouped_for_reading():
    assert phone_numbers.grouped_number("+998935550147") == "+998 93 555 01 47"
    assert phone_numbers.grouped_number("1140") == "1140"


def test_passport_letters_may_be_cyrillic():
    assert identity.normalise_passport("ав 123 45 67") == "AB1234567"
    assert identity.normalise_passport("AB 12345") is None


@pytest.mark.parametrize("typed", ["14.03.1978", "14/3/1978", "14031978", "1978-03-14"])
def test_birth_dates_are_read_in_several_formats(typed):
    assert identity.parse_date(typed) == dt.date(1978, 3, 14)


@pytest.mark.parametrize("typed", ["31.02.1978", "1978", "", "14.03.78"])
def test_an_invalid_birth_date_is_not_read(typed):
    assert identity.parse_date(typed) is None


def test_consistent_values_raise_no_doubt():
    assert not doubt_codes(
        pinfl=MAN, born="12.10.1963", sex="m", phone="901234567", passport="AA1234567"
    )
    assert not doubt_codes(pinfl="", born="", phone="")


def test_each_doubt_contains_its_field():
    assert doubt_codes(pinfl=MAN, born="13.10.1963", sex="f") == {"pinfl:born", "pinfl:sex"}
    assert doubt_codes(pinfl="123") == {"pinfl:length"}
    assert doubt_codes(pinfl=MAN[:-1] + "0") == {"pinfl:check"}
    assert doubt_codes(passport="1", stir="12", phone="x", phone_at_hand="y", born="z") == {
        "passport:form",
        "stir:form",
        "phone:form",
        "phone_at_hand:form",
        "born:form",
    }
    assert doubt_codes(born="25.11.2026") == {"born:future"}
    assert doubt_codes(born="01.01.1900") == {"born:old"}
