"""The values chosen in added fields, stored in a table of their own so that SQL can count them.

In a registered form they are stored in its column `extra`, which SQL does not search
(models.DocumentField).
"""

from typing import Any

from appliance.casework import catalogs
from appliance.casework.catalogs import NOT_LISTED, UNLISTED
from appliance.casework.forms.definition import Definition, Field
from appliance.casework.forms.values import is_counted
from appliance.casework.forms.versions import (
    FORMS,
    all_published_definitions,
    column_value_names,
    fields_of_all_versions,
)
from appliance.core.i18n import N_, locale_translations, localized_name
from appliance.core.statements import PreparedQuery, query_parameter
from appliance.models import District, FieldValue, Region

_STORED_VALUES = PreparedQuery(
    lambda: (
        FieldValue.select(FieldValue.id)
        .where(FieldValue.number == query_parameter("number"))
        .limit(1)
    )
)


def store_counted_values(definition: Definition, row: Any) -> None:
    """Store the counted values of a row of models.Appeal or CallForm, replacing the previous ones.

    Counted values are those of the added fields that reports count (values.is_counted). A text that
    is on no list is stored as UNLISTED. For a form without a call nothing is stored, because no
    report counts it.
    """
    if _STORED_VALUES.fetch_tuples(number=row.number):
        FieldValue.delete().where(FieldValue.number == row.number).execute()
    values = [
        {
            "form": definition.form,
            "number": row.number,
            "call_id": row.call_id,
            "field": field.name,
            "code": stored["code"] or UNLISTED,
        }
        for field in definition.fields
        if is_counted(field) and (stored := row.extra.get(field.name))
    ]
    if row.call_id and values:
        FieldValue.insert_many(values).execute()


def counted_fields() -> tuple[tuple[str, Field], ...]:
    """Return (form, field) of all fields without a column that reports count, also retired ones."""
    return tuple(
        (form, field)
        for form in FORMS
        for field in fields_of_all_versions(form)
        if is_counted(field) and field.name not in column_value_names(form)
    )


def counted_value_labels(form: str, field: Field, locale: str) -> dict[str, str]:
    """Return the label of every choice that a counted field ever had, by code.

    `form` is the field's form. The order is that of the field; the entry for values that are on no
    list is last. A checkbox has the code "1" only: an empty one is not stored.
    """
    gettext = locale_translations(locale).gettext
    if field.kind == "tick":
        return {"1": gettext(N_("yes"))}
    labels: dict[str, str] = {}
    if field.kind == "place":
        labels = {
            place.soato: localized_name(place, locale) for place in _list_places(field.source)
        }
    elif field.list:
        labels = catalogs.labels_by_code(field.list, locale)
    else:
        older = (
            definition.find_field(field.name)
            for definition in all_published_definitions()
            if definition.form == form
        )
        for field_version in (field, *filter(None, older)):
            for option in field_version.options:
                # the newest version comes first: its label is used
                labels.setdefault(option.code, option.localized_label(locale))
    return labels | {UNLISTED: gettext(NOT_LISTED)}


def _list_places(kind: str) -> list[Region] | list[District]:
    """Return all regions, or all districts."""
    no_limit = 10_000
    if kind == "region":
        return catalogs.match_regions("")
    return catalogs.match_districts("", limit=no_limit)
