"""Both registration forms next to the customer's terms of reference, each difference named."""

import dataclasses

import pytest

from appliance.casework import forms
from appliance.casework.forms import customer_text
from appliance.casework.forms.customer_text import Difference, customer_differences
from appliance.core.i18n import normalize_apostrophes
from appliance.web.settings import form_labels

# The customer's lists, typed from the terms of reference by hand: label, star.
CUSTOMER_FORM_1 = """
Murojaat raqamasi *
Murojaatchi turi *
Murojaat turi *
Ism *
Familiya *
Qo'ng'iroq turi
Hudud *
Shahar(juman) *
Mahalla *
Manzil *
Passport
PIRFL
Jins *
Tug'ilgan sana *
Qaysi guruhga mansubligi *
Telefon *
Qo'lingizda telefon raqam
ish bilan bandligi *
Murojaat ushlovligi *
Murojaat mazmuni
"""
CUSTOMER_FORM_2 = """
Familiya
Ism
Hudud
Manzil
Qo'ng'iroq turi
Jinsi
Murojaatning qisqacha mazmuni
Operator javobi
Qo'ng'iroq yo'nalishi
Murojaat yo'nalishi
"""
CORRECTED_LABELS = {
    "Shahar(juman)": "Shahar (tuman)",
    "PIRFL": "JSHSHIR (PINFL)",
    "Qo'lingizda telefon raqam": "Qo'lingizdagi telefon raqam",
    "ish bilan bandligi": "Ish bilan bandligi",
    "Murojaat ushlovligi": "Murojaat ochiqligi",
}
NUMBER_LABEL = "Murojaat raqamasi *"  # the system assigns it
ADDED_FIELDS = {"1": {"entity_name", "stir", "direction"}, "2": set()}
STARRED_FIELDS = {"1": set(), "2": {"region", "call_type", "gist", "operator_answer", "direction"}}


def summaries(differences: list[Difference]) -> list[tuple[str, str, str]]:
    """Return (kind, name of the field or the customer's text, reason) of each difference."""
    return [
        (d.kind, d.field.name if d.field else d.customer.text if d.customer else "", d.reason)
        for d in differences
    ]


def replace_field(form: str, name: str, **values: object) -> forms.Definition:
    definition = forms.product_definition(form)
    fields = (
        dataclasses.replace(field, **values) if field.name == name else field
        for field in definition.fields
    )
    return dataclasses.replace(definition, fields=tuple(fields))


@pytest.mark.parametrize(("form", "text"), [("1", CUSTOMER_FORM_1), ("2", CUSTOMER_FORM_2)])
def test_label_order_and_star_are_the_customers_but_for_named_corrections(form, text) -> None:
    expected = []
    for line in text.strip().splitlines():
        if line == NUMBER_LABEL:
            continue
        label, star, _ = line.partition(" *")
        label = normalize_apostrophes(CORRECTED_LABELS.get(label, label))
        expected.append((label, bool(star)))
    fields = [
        (
            field.localized_label("uz_Latn"),
            field.required and field.name not in STARRED_FIELDS[form],
        )
        for field in forms.product_definition(form).fields
        if field.name not in ADDED_FIELDS[form]
    ]
    assert fields == expected


@pytest.mark.parametrize(("form", "text"), [("1", CUSTOMER_FORM_1), ("2", CUSTOMER_FORM_2)])
def test_every_difference_of_the_product_is_listed_with_its_reason(form, text) -> None:
    differences = customer_differences(forms.product_definition(form))
    assert {d.field.name for d in differences if d.kind == "added" and d.field} == ADDED_FIELDS[
        form
    ]
    starred = {d.field.name for d in differences if d.kind == "starred" and d.field}
    assert starred == STARRED_FIELDS[form]
    corrected = {
        d.customer.text: d.field.localized_label("uz_Latn")
        for d in differences
        if d.kind == "corrected" and d.customer and d.field
    }
    assert corrected == {
        customer: normalize_apostrophes(ours)
        for customer, ours in CORRECTED_LABELS.items()
        if customer in text
    }
    assert {d.kind for d in differences} <= {"corrected", "starred", "added", "assigned"}
    for difference in differences:
        assert difference.reason != customer_text.MANAGER_REASON
        assert difference.reason in form_labels.DIFFERENCE_REASONS
        assert difference.kind in form_labels.DIFFERENCES
    assert [d.customer.text for d in differences if d.kind == "assigned" and d.customer] == (
        ["Murojaat raqamasi"] if form == "1" else []
    )


def test_changes_of_the_manager_are_listed_as_theirs() -> None:
    product = summaries(customer_differences(forms.product_definition("2")))
    relabelled = replace_field(
        "2", "sex", label={"uz_Latn": "Jins", "uz_Cyrl": "Жинс", "ru": "Пол"}
    )
    assert set(summaries(customer_differences(relabelled))) - set(product) == {
        ("corrected", "sex", "manager")
    }
    starred = replace_field("2", "address", required=True)
    assert set(summaries(customer_differences(starred))) - set(product) == {
        ("starred", "address", "manager")
    }
    unstarred = replace_field("1", "address", required=False)
    assert ("unstarred", "address", "manager") in summaries(customer_differences(unstarred))


def test_a_correction_that_the_manager_worded_differently_is_theirs() -> None:
    label = {"uz_Latn": "Tuman", "uz_Cyrl": "Туман", "ru": "Район"}
    differences = summaries(customer_differences(replace_field("1", "district", label=label)))
    assert ("corrected", "district", "manager") in differences
    assert ("corrected", "district", "spelling") not in differences


def test_the_customers_own_spelling_is_no_difference() -> None:
    label = {"uz_Latn": "Shahar(juman)", "uz_Cyrl": "Шаҳар", "ru": "Город"}
    differences = summaries(customer_differences(replace_field("1", "district", label=label)))
    assert "district" not in [name for _, name, _ in differences]


def test_corrected_answers_are_listed() -> None:
    [openness] = [
        d
        for d in customer_differences(forms.product_definition("1"))
        if d.field and d.field.name == "openness"
    ]
    assert openness.customer
    assert openness.customer.answers == ("O'choq murojaat", "Shaxsiy murojaat")


def test_moved_and_added_fields_are_listed() -> None:
    definition = forms.product_definition("2")
    first, *later_fields = definition.fields
    new = dataclasses.replace(first, name="nickname")
    changed = dataclasses.replace(definition, fields=(*later_fields, first, new))
    product = summaries(customer_differences(definition))
    assert [s for s in summaries(customer_differences(changed)) if s not in product] == [
        ("moved", "surname", "manager"),
        ("added", "nickname", "manager"),
    ]
