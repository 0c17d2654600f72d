"""What was chosen in added fields, kept so that a database counts it: a row for each value.

The forms themselves keep it beside their columns, where no SQL looks (models.DocumentField).
"""

from typing import Any

from appliance.casework import catalogs
from appliance.casework.catalogs import NOT_LISTED, UNLISTED
from appliance.casework.forms.definition import Definition, Field
from appliance.casework.forms.values import is_counted
from appliance.casework.forms.versions import FORMS, columns, every, fields_of_all_versions
from appliance.core.i18n import N_, named, translations
from appliance.core.statements import Question, value
from appliance.models import District, FieldValue, Region

_KEPT = Question(
    lambda: FieldValue.select(FieldValue.id).where(FieldValue.number == value("number")).limit(1)
)


def store_counted(definition: Definition, row: Any) -> None:
    """Keep what a row of models.Appeal or CallForm holds, in place of what it held before.

    A form without a call is left out: nothing counts it.
    """
    if _KEPT.ask(number=row.number):
        FieldValue.delete().where(FieldValue.number == row.number).execute()
    values = [
        {
            "form": definition.form,
            "number": row.number,
            "call_id": row.call_id,
            "field": field.name,
            "code": held["code"] or UNLISTED,
        }
        for field in definition.fields
        if is_counted(field) and (held := row.extra.get(field.name))
    ]
    if row.call_id and values:
        FieldValue.insert_many(values).execute()


def counted() -> tuple[tuple[str, Field], ...]:
    """(form, field) of all that are beside the columns and counted, those left out since too."""
    return tuple(
        (form, field)
        for form in FORMS
        for field in fields_of_all_versions(form)
        if is_counted(field) and field.name not in columns(form)
    )


def answers(form: str, field: Field, locale: str) -> dict[str, str]:
    """Code → name of all that was ever to choose in a counted field, in its order.

    What no list has stands last.
    """
    gettext = translations(locale).gettext
    if field.kind == "tick":
        return {"1": gettext(N_("yes"))}
    known: dict[str, str] = {}
    if field.kind == "place":
        known = {place.soato: named(place, locale) for place in _places(field.source)}
    elif field.list:
        known = catalogs.labels(field.list, locale)
    else:
        before = (one.field(field.name) for one in every() if one.form == form)
        for version in (field, *filter(None, before)):
            for option in version.options:
                known.setdefault(option.code, option.called(locale))
    return known | {UNLISTED: gettext(NOT_LISTED)}


def _places(kind: str) -> list[Region] | list[District]:
    every_one = 10_000
    if kind == "region":
        return catalogs.find_regions("")
    return catalogs.find_districts("", limit=every_one)
