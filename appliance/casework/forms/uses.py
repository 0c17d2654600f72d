"""Where lists are used: by which fields of the forms, and how often."""

from collections import Counter

from peewee import fn

from appliance.casework.forms.definition import Field
from appliance.casework.forms.versions import (
    APPEAL_FORM,
    FORMS,
    column_value_names,
    definition_in_force,
)
from appliance.models import Appeal, CallForm


def fields_choosing_from(catalog: str) -> tuple[tuple[str, Field], ...]:
    """Return (form, field) of all fields in force that choose from the list with this code."""
    return tuple(
        (form, field)
        for form in FORMS
        for field in definition_in_force(form).fields
        if field.list == catalog
    )


def count_code_uses(catalog: str) -> Counter[str]:
    """Return the number of registered forms that contain each code of the list `catalog`.

    Texts that were typed instead of a code are counted under themselves, if the field has a column.
    Fields that are not in force any more are not counted.
    """
    counts: Counter[str] = Counter()
    for form, field in fields_choosing_from(catalog):
        table = Appeal if form == APPEAL_FORM else CallForm
        if field.name in column_value_names(form):
            column = getattr(table, field.name)
            counts.update(dict(table.select(column, fn.COUNT(table.id)).group_by(column).tuples()))
        else:  # stored outside the columns
            rows = table.select(table.extra).where(table.extra != {}).tuples().iterator()
            codes = (extra.get(field.name, {}).get("code") for (extra,) in rows)
            counts.update(code for code in codes if code)
    return counts
