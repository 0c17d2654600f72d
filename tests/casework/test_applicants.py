"""Applicants: recognised again, never merged by a slip, kept as last heard."""

from typing import Any

import pytest

from appliance.casework import appeals, applicants, catalogs
from appliance.models import Appeal, Applicant, Handling

PINFL, OTHER_PINFL = "31210632040244", "31210932040247"
PHONE = "+998935550147"


pytestmark = pytest.mark.usefixtures("settings")


def person(**told: Any) -> Applicant:
    return applicants.recognise(
        {
            "applicant_kind": "person",
            "first_name": "Gulchehra",
            "surname": "Yoʻldosheva",
            "phone": PHONE,
            "pinfl": "",
        }
        | told
    )


def test_the_same_phone_and_name_in_another_script():
    assert person() == person(first_name="Гулчеҳра", surname="Йўлдошева")


@pytest.mark.parametrize("told", [{"first_name": "Aziza"}, {"phone": "+998901234567"}])
def test_another_name_or_phone_is_another_person(told):
    assert person() != person(**told)


def test_the_pinfl_finds_a_person_whatever_else_changed():
    first = person(pinfl=PINFL)
    again = person(pinfl=PINFL, surname="Karimova", phone="+998901234567")
    assert (again.id, again.surname) == (first.id, "Karimova")
    assert applicants.with_phone("+998901234567") == [again]
    assert applicants.with_phone(PHONE) == []


def test_a_wrong_pinfl_joins_nobody():
    assert person(pinfl="1", phone="") != person(pinfl="1", phone="")


def test_another_pinfl_with_the_same_name_and_phone_is_another_person():
    assert person(pinfl=PINFL) != person(pinfl=OTHER_PINFL)


def test_a_pinfl_told_later_joins_the_one_known_without():
    assert person() == person(pinfl=PINFL)


def test_what_is_not_told_stays_as_heard_before():
    person(passport="AB1234567", sex="f")
    again = person(sex="")
    assert (again.passport, again.sex) == ("AB1234567", "f")


def test_nobody_has_a_hidden_number():
    person(phone="")
    assert applicants.with_phone(None) == applicants.with_phone("") == []


def entity(**told: Any) -> Applicant:
    return person(applicant_kind="entity", entity_name="Baraka MCHJ", stir="301234567", **told)


def test_an_entity_is_known_by_its_stir_and_named_by_itself():
    assert entity() == entity(phone="", first_name="Aziza")
    assert applicants.name_of(entity()) == "Baraka MCHJ"
    assert applicants.name_of(person()) == "Gulchehra Yoʻldosheva"
    assert entity() != person()


FORM = {
    **{"applicant_kind": "person", "first_name": "Gulchehra", "surname": "Yoʻldosheva"},
    **{"phone": PHONE, "passport": "AB1234567", "gist": "Subsidiya", "direction": "subsidies"},
}


def test_a_correction_leaves_no_former_applicant(settings, nilufar) -> None:
    """A corrected name is no second person: the next call shows the corrected one only."""
    made = registered(settings, nilufar, FORM)
    corrected(settings, made, FORM | {"surname": "Joʻrayeva"})
    assert [one.surname for one in applicants.with_phone(PHONE)] == ["Joʻrayeva"]
    assert Applicant.select().count() == 1


def test_a_correction_to_another_person_takes_back_what_was_not_his(settings, nilufar) -> None:
    first = registered(settings, nilufar, FORM | {"pinfl": PINFL})
    second = registered(settings, nilufar, FORM | {"pinfl": PINFL, "phone": "+998901234567"})
    assert first.applicant == second.applicant
    corrected(settings, second, FORM | {"pinfl": OTHER_PINFL, "phone": "+998901234567"})
    assert [one.id for one in applicants.with_phone(PHONE)] == [first.applicant_id]
    assert Appeal.get_by_id(second.id).applicant_id != first.applicant_id


def registered(settings, operator, values) -> Appeal:
    token = appeals.token_for(operator, None)
    return appeals.register(values, operator=operator, token=token, tz=settings.tz)


def corrected(settings, appeal: Appeal, values) -> None:
    version = Handling.get_by_id(appeal.id).version
    calendar = catalogs.working_calendar(settings)
    appeals.correct(Appeal.get_by_id(appeal.id), values, "nilufar", version, calendar)
