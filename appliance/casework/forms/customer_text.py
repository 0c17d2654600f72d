"""Compares a form with the customer's terms of reference, field by field.

The customer's text is in appliance/data/forms/customer_text.toml, with the reason for each
difference of the product's form. Any other difference was made by the project manager.
"""

import functools
import tomllib
from dataclasses import dataclass
from typing import Any

from appliance import PACKAGE
from appliance.casework.forms.comparing import unmoved_names
from appliance.casework.forms.definition import Definition, Field
from appliance.casework.forms.versions import product_definition
from appliance.core.i18n import normalize_apostrophes

MANAGER_REASON = "manager"  # of differences that are not the product's
_CUSTOMER_TEXT_FILE = PACKAGE / "data" / "forms" / "customer_text.toml"
_CUSTOMER_LOCALE = "uz_Latn"  # of the customer's text


@dataclass(frozen=True)
class CustomerField:
    """A field as the customer's text prints it; `name` is "" for a field without input."""

    name: str
    text: str
    star: bool
    answers: tuple[str, ...]
    reason: str  # for the differences of the product's field, if it has any


@dataclass(frozen=True)
class Difference:
    """A difference between a form and the customer's text.

    `kind` is corrected, starred, unstarred, assigned (by the system), added, moved or removed.
    `customer` is missing for an added field, `field` for an assigned or removed one.
    """

    kind: str
    customer: CustomerField | None
    field: Field | None
    reason: str


def customer_differences(definition: Definition) -> list[Difference]:
    """Return all differences between a form and the customer's text.

    They are in the order of the customer's text, followed by the fields that it lacks. Only the
    spelling of apostrophes is no difference.
    """
    customer_fields, added_reasons = _customer_form(definition.form)
    fields = {field.name: field for field in definition.fields}
    product_fields = {field.name: field for field in product_definition(definition.form).fields}
    customer_order = [field.name for field in customer_fields if field.name in fields]
    unmoved = unmoved_names(customer_order, [name for name in fields if name in customer_order])
    differences = []
    for customer_field in customer_fields:
        name, reason = customer_field.name, customer_field.reason
        field = fields.get(name)
        if not field:
            kind = "removed" if name else "assigned"
            differences.append(Difference(kind, customer_field, None, reason or MANAGER_REASON))
            continue
        product_kinds = _difference_kinds(customer_field, product_fields[name])
        kinds = _difference_kinds(customer_field, field)
        has_product_text = _label_and_answers(field) == _label_and_answers(product_fields[name])
        for kind in kinds:
            is_of_product = kind in product_kinds and (kind != "corrected" or has_product_text)
            kind_reason = reason if is_of_product else MANAGER_REASON
            differences.append(Difference(kind, customer_field, field, kind_reason))
        if name not in unmoved:
            differences.append(Difference("moved", customer_field, field, MANAGER_REASON))
    return differences + [
        Difference("added", None, field, added_reasons.get(name, MANAGER_REASON))
        for name, field in fields.items()
        if name not in customer_order
    ]


def _difference_kinds(customer_field: CustomerField, field: Field) -> list[str]:
    """Return the kinds of differences between one field and the customer's text of it."""
    kinds = []
    label, answers = _label_and_answers(field)
    customer_answers = tuple(normalize_apostrophes(text) for text in customer_field.answers)
    if label != normalize_apostrophes(customer_field.text) or (
        customer_answers and answers != customer_answers
    ):
        kinds.append("corrected")
    if field.required != customer_field.star:
        kinds.append("starred" if field.required else "unstarred")
    return kinds


def _label_and_answers(field: Field) -> tuple[str, tuple[str, ...]]:
    """Return the label and the answers of a field in the language of the customer's text."""
    answers = tuple(option.localized_label(_CUSTOMER_LOCALE) for option in field.options)
    return field.localized_label(_CUSTOMER_LOCALE), answers


@functools.cache
def _customer_form(form: str) -> tuple[tuple[CustomerField, ...], dict[str, str]]:
    """Return the customer's fields of a form, and why the product's form has further ones.

    The reasons are by the name of the field.
    """
    document: dict[str, Any] = tomllib.loads(_CUSTOMER_TEXT_FILE.read_text(encoding="utf-8"))
    customer_fields = tuple(
        CustomerField(
            entry.get("name", ""),
            entry["text"],
            entry.get("star", False),
            tuple(entry.get("answers", ())),
            entry.get("reason", ""),
        )
        for entry in document[f"form_{form}"]
    )
    return customer_fields, document["addition"][f"form_{form}"]
