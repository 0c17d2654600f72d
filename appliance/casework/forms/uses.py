"""Where lists are used: by which fields of the forms, and how often."""

from collections import Counter

from peewee import fn

from appliance.casework.forms.definition import Field
from appliance.casework.forms.versions import APPEAL, FORMS, columns, in_force
from appliance.models import Appeal, CallForm


def fields_of(catalog: str) -> tuple[tuple[str, Field], ...]:
    """(form, field) of all that choose from a list."""
    return tuple(
        (form, field) for form in FORMS for field in in_force(form).fields if field.list == catalog
    )


def uses(catalog: str) -> Counter[str]:
    """Code → how many registered forms have it."""
    found: Counter[str] = Counter()
    for form, field in fields_of(catalog):
        table = Appeal if form == APPEAL else CallForm
        if field.name in columns(form):
            column = getattr(table, field.name)
            found.update(dict(table.select(column, fn.COUNT(table.id)).group_by(column).tuples()))
        else:  # beside the columns
            rows = table.select(table.extra).where(table.extra != {}).tuples().iterator()
            codes = (extra.get(field.name, {}).get("code") for (extra,) in rows)
            found.update(code for code in codes if code)
    return found
