"""How numbers and dates of people are read, and which doubts they raise."""

import datetime as dt
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework import identity
from appliance.core import phone_numbers

TODAY = dt.date(2026, 11, 24)
# The specimens of the Cabinet of Ministers' resolutions 200 (1996) and 177 (2022).
MAN, WOMAN = "31210632040244", "40201902050010"


def doubts(**values: str) -> set[str]:
    return {str(doubt) for doubt in identity.doubts(values, TODAY)}


def test_a_pinfl_tells_sex_and_birth_date():
    assert identity.pinfl(MAN) == identity.Pinfl("m", dt.date(1963, 10, 12))
    assert identity.pinfl("4 020190 205 001 0") == identity.Pinfl("f", dt.date(1990, 1, 2))


@pytest.mark.parametrize(
    "text", ["", "3121063204024", MAN[:-1] + "5", "91210632040244", "33302632040248", "٣" * 14]
)
def test_what_is_no_pinfl(text):
    assert identity.pinfl(text) is None


@pytest.mark.parametrize(
    ("said", "kept"),
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
def test_phones_as_people_say_them(said, kept):
    assert phone_numbers.canonical(said) == kept


@given(st.text() | st.from_regex(r"(\+|00|8 ?10 ?|8 ?)?[0-9 ()-]{0,20}", fullmatch=True))
def test_a_phone_that_was_understood_stays_as_it_is(said):
    if kept := phone_numbers.canonical(said):
        assert phone_numbers.canonical(kept) == kept
        assert re.fullmatch(r"\+[1-9]\d{6,14}|\d{2,5}", kept, re.ASCII)
        assert not kept.startswith("+998") or len(kept) == 13


@given(st.from_regex(r"(20|33|50|61|71|88|90|9[3578])[0-9]{7}", fullmatch=True), st.data())
def test_every_way_to_write_a_number_of_ours_is_one(local, data):
    way = data.draw(st.sampled_from(["{}", "8{}", "998{}", "+998{}", "00998{}", "810998{}"]))
    apart = " ".join(way.format(local)) if data.draw(st.booleans()) else way.format(local)
    assert phone_numbers.canonical(apart) == f"+998{local}"


@given(st.from_regex(r"[0-9]{1,8}|[0-9]{10,11}", fullmatch=True))
def test_a_digit_too_few_or_too_many_raises_a_doubt(rest):
    assert doubts(phone=f"+998{rest}") == {"phone:form"}


@given(st.text())
def test_whatever_is_typed_raises_a_doubt_and_no_fault(said):
    assert doubts(phone=said) <= {"phone:form"}


def test_phones_are_grouped_for_reading():
    assert phone_numbers.grouped("+998935550147") == "+998 93 555 01 47"
    assert phone_numbers.grouped("1140") == "1140"


def test_passport_letters_may_be_cyrillic():
    assert identity.passport("ав 123 45 67") == "AB1234567"
    assert identity.passport("AB 12345") is None


@pytest.mark.parametrize("said", ["14.03.1978", "14/3/1978", "14031978", "1978-03-14"])
def test_birth_dates(said):
    assert identity.born(said) == dt.date(1978, 3, 14)


@pytest.mark.parametrize("said", ["31.02.1978", "1978", "", "14.03.78"])
def test_what_is_no_birth_date(said):
    assert identity.born(said) is None


def test_what_agrees_raises_no_doubt():
    assert not doubts(
        pinfl=MAN, born="12.10.1963", sex="m", phone="901234567", passport="AA1234567"
    )
    assert not doubts(pinfl="", born="", phone="")


def test_each_doubt_names_its_field():
    assert doubts(pinfl=MAN, born="13.10.1963", sex="f") == {"pinfl:born", "pinfl:sex"}
    assert doubts(pinfl="123") == {"pinfl:length"}
    assert doubts(pinfl=MAN[:-1] + "0") == {"pinfl:check"}
    assert doubts(passport="1", stir="12", phone="x", phone_at_hand="y", born="z") == {
        "passport:form",
        "stir:form",
        "phone:form",
        "phone_at_hand:form",
        "born:form",
    }
    assert doubts(born="25.11.2026") == {"born:future"}
    assert doubts(born="01.01.1900") == {"born:old"}
