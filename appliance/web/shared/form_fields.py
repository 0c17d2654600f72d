"""The fields of a form: values, choices and doubts to draw it with, and masked numbers in it."""

from flask import render_template

from appliance.casework import applicants, catalogs, forms
from appliance.casework.appeals import prefill
from appliance.web.shell import labels, number_masks
from appliance.web.shell.context import me, today
from appliance.web.shell.language import locale


def fields_context(
    definition: forms.Definition, values: dict[str, str], is_new: bool = False
) -> dict[str, object]:
    """Return the context of operator/fields.html to draw a form with the values."""
    return {
        "definition": definition,
        "values": display_values(values),
        "labels": labels,
        "choices_of": _field_choices,
        "known": (),
        **doubts_context(definition, values, is_new=is_new),
    }


def _field_choices(field: forms.Field) -> list[tuple[str, str]]:
    """Return (code, name) of the options of a field that has few of them."""
    if field.list:
        return catalogs.item_choices(field.list, locale(), today())
    return [(option.code, option.localized_label(locale())) for option in field.options]


def doubts_context(
    definition: forms.Definition, values: dict[str, str], is_new: bool = False
) -> dict[str, object]:
    """Return the template context of a form's doubts.

    `doubts`: field → text of its doubt; `empty`: the empty fields; `summary`: the line that counts
    them, as HTML.
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
    """Return the values as the page shows them: names for codes, numbers possibly masked."""
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
    """Return the values with masked numbers replaced by the real ones.

    The real number is one of the stored form, the caller's, or one in the data of people who have
    the caller's number.
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
