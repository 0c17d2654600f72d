"""Applicants: recognised again, never merged by mistake, stored with the latest details."""

from typing import Any

import pytest

from appliance.casework import applicants, catalogs
from appliance.casework.appeals import correcting, registering
from appliance.casework.forms import drafts
from appliance.models import Appeal, Applicant, Handling

PINFL, OTHER_PINFL = "31210632040244", "31210932040247"
PHONE = "+998935550147"


pytestmark = pytest.mark.usefixtures("settings")


def recognise_person(**details: Any) -> Applicant:
    return applicants.update_or_create(
        {
            "applicant_kind": "person",
            "first_name": "Gulchehra",
            "surname": "Yoʻldosheva",
            "phone": PHONE,
            "pinfl": "",
        }
        | details
    )


def test_the_same_phone_and_name_in_another_script_is_the_same_person():
    assert recognise_person() == recognise_person(first_name="Гулчеҳра", surname="Йўлдошева")


@pytest.mark.parametrize("details", [{"first_name": "Aziza"}, {"phone": "+998901234567"}])
def test_another_name_or_phone_is_another_person(details):
    assert recognise_person() != recognise_person(**details)


def test_the_pinfl_identifies_a_person_even_if_everything_else_changed():
    first = recognise_person(pinfl=PINFL)
    again = recognise_person(pinfl=PINFL, surname="Karimova", phone="+998901234567")
    assert (again.id, again.surname) == (first.id, "Karimova")
    assert applicants.find_by_phone("+998901234567") == [again]
    assert applicants.find_by_phone(PHONE) == []


def test_an_invalid_pinfl_does_not_merge_persons():
    assert recognise_person(pinfl="1", phone="") != recognise_person(pinfl="1", phone="")


def test_another_pinfl_with_the_same_name_and_phone_is_another_person():
    assert recognise_person(pinfl=PINFL) != recognise_person(pinfl=OTHER_PINFL)


def test_a_pinfl_given_later_is_added_to_the_known_person():
    assert recognise_person() == recognise_person(pinfl=PINFL)


def test_details_left_empty_keep_their_previous_values():
    recognise_person(passport="AB1234567", sex="f")
    again = recognise_person(sex="")
    assert (again.passport, again.sex) == ("AB1234567", "f")


def test_a_hidden_number_matches_no_applicant():
    recognise_person(phone="")
    assert applicants.find_by_phone(None) == applicants.find_by_phone("") == []


def recognise_entity(**details: Any) -> Applicant:
    return recognise_person(
        applicant_kind="entity", entity_name="Baraka MCHJ", stir="301234567", **details
    )


def test_an_entity_is_identified_by_its_stir_and_shown_by_its_own_name():
    assert recognise_entity() == recognise_entity(phone="", first_name="Aziza")
    assert applicants.display_name(recognise_entity()) == "Baraka MCHJ"
    assert applicants.display_name(recognise_person()) == "Gulchehra Yoʻldosheva"
    assert recognise_entity() != recognise_person()


FORM_VALUES = {
    **{"applicant_kind": "person", "first_name": "Gulchehra", "surname": "Yoʻldosheva"},
    **{"phone": PHONE, "passport": "AB1234567", "gist": "Subsidiya", "direction": "subsidies"},
}


def test_a_correction_deletes_the_former_applicant(settings, nilufar) -> None:
    """A corrected name is not a second person: the next call shows only the corrected one."""
    appeal = register_appeal(settings, nilufar, FORM_VALUES)
    correct_appeal(settings, appeal, FORM_VALUES | {"surname": "Joʻrayeva"})
    assert [applicant.surname for applicant in applicants.find_by_phone(PHONE)] == ["Joʻrayeva"]
    assert Applicant.select().count() == 1


def test_a_correction_to_another_person_undoes_changes_to_the_first(settings, nilufar) -> None:
    first = register_appeal(settings, nilufar, FORM_VALUES | {"pinfl": PINFL})
    second = register_appeal(
        settings, nilufar, FORM_VALUES | {"pinfl": PINFL, "phone": "+998901234567"}
    )
    assert first.applicant == second.applicant
    correct_appeal(settings, second, FORM_VALUES | {"pinfl": OTHER_PINFL, "phone": "+998901234567"})
    assert [applicant.id for applicant in applicants.find_by_phone(PHONE)] == [first.applicant_id]
    assert Appeal.get_by_id(second.id).applicant_id != first.applicant_id


def register_appeal(settings, operator, values) -> Appeal:
    token = drafts.token_for(operator, None)
    return registering.register(values, operator=operator, token=token, tz=settings.tz)


def correct_appeal(settings, appeal: Appeal, values) -> None:
    version = Handling.get_by_id(appeal.id).version
    calendar = catalogs.working_calendar(settings)
    correcting.correct_appeal(Appeal.get_by_id(appeal.id), values, "nilufar", version, calendar)
