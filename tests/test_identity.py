"""How numbers and dates of people are read, and which doubts they raise."""

import datetime as dt

import pytest

from appliance import identity

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
        ("12 345 67 89", None),
        ("yoʻq", None),
        ("", None),
    ],
)
def test_phones_as_people_say_them(said, kept):
    assert identity.phone(said) == kept


def test_phones_are_grouped_for_reading():
    assert identity.grouped("+998935550147") == "+998 93 555 01 47"
    assert identity.grouped("1140") == "1140"


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
