"""The fields of a form as the page shows them: values, choices, masked numbers, and doubts.

A doubt is a warning about a field's value: the form can be registered all the same.
"""

from flask import render_template

from appliance.casework import applicants, catalogs, forms
from appliance.casework.appeals import prefill
from appliance.web.shell import labels, number_masks
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale


def fields_context(
    definition: forms.Definition, values: dict[str, str], is_new: bool = False
) -> dict[str, object]:
    """Return the context of operator/fields.html, which draws a form with these values.

    `definition` is the version of the form. `is_new`: the form was just opened (see
    `doubts_context`). `known`, details of a known person to be filled in, is empty here: only the
    operator's page offers them.
    """
    return {
        "definition": definition,
        "values": display_values(values),
        "labels": labels,
        "choices_of": _field_choices,
        "known": (),
        **doubts_context(definition, values, is_new=is_new),
    }


def _field_choices(field: forms.Field) -> list[tuple[str, str]]:
    """Return (code, name) of all options of a field; [] unless it has a fixed or short list."""
    if field.list:
        return catalogs.item_choices(field.list, locale(), today())
    return [(option.code, option.localized_label(locale())) for option in field.options]


def doubts_context(
    definition: forms.Definition, values: dict[str, str], is_new: bool = False
) -> dict[str, object]:
    """Return the template context of a form's doubts.

    `doubts` are their texts by field; `empty` are the required fields without a value; `summary` is
    a line that counts both, as HTML. It does not count the empty fields of a form that `is_new`
    (nothing was typed yet), because then all of them are empty.
    """
    codes = [str(doubt) for doubt in forms.read_values(definition, values, today()).doubts]
    doubt_texts, empty_fields = labels.doubt_texts(codes, definition), labels.empty_fields(codes)
    summary = render_template(
        "operator/summary.html",
        doubts=doubt_texts,
        empty=[] if is_new else empty_fields,
        labels=labels,
    )
    return {"doubts": doubt_texts, "empty": empty_fields, "summary": summary}


def display_values(values: dict[str, str]) -> dict[str, str]:
    """Return the values of a form, by field name, as the page shows them.

    The name of a code is added as the value of "FIELD_text"; phone numbers are masked if this
    reader sees them masked.
    """
    fields = [
        f for form in forms.FORMS for f in forms.definition_in_force(form).fields if f.is_lookup
    ]
    names = {f.name: labels.option_display(f, code) for f in fields if (code := values.get(f.name))}
    phones = {
        n: number_masks.readable_number(text)
        for n, text in values.items()
        if text and labels.is_phone_field(n)
    }
    return values | phones | {f"{name}_text": text for name, text in names.items()}


def unmasked_values(
    values: dict[str, str], stored_values: dict[str, str], caller: str | None = None
) -> dict[str, str]:
    """Return the submitted values with masked phone numbers replaced by the real ones.

    The real number is found in the stored values of the form, in the number `caller` of the call,
    if there is one, or in the data of the people who have that number. A masked number that fits no
    known number stays unchanged.
    """
    masked_fields = [
        name for name, text in values.items() if "*" in text and labels.is_phone_field(name)
    ]
    if not masked_fields:
        return values
    people_values = [
        prefill.prefill_values(person, me()) for person in applicants.find_by_phone(caller)
    ]
    known_numbers = [
        text
        for field_values in (stored_values, *people_values)
        for name, text in field_values.items()
        if labels.is_phone_field(name)
    ]
    return values | {
        n: number_masks.unmask_number(values[n], stored_values.get(n), caller, *known_numbers)
        for n in masked_fields
    }
