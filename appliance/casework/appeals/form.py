"""Form №1 of an appeal: the fields in force, and the consultation fields shown next to them."""

import datetime as dt
from typing import Any

from appliance.casework import applicants, catalogs, forms
from appliance.casework.forms import Definition, Reading
from appliance.casework.forms.drafts import CONSULTATION_FIELDS
from appliance.core.i18n import normalize_apostrophes

APPLICANT_KINDS = ("person", "entity")


def form_definition(version: int | None = None) -> Definition:
    """Return the definition of the appeal form that is in force, or of its version `version`."""
    return (
        forms.numbered_definition(forms.APPEAL_FORM, version)
        if version
        else forms.definition_in_force(forms.APPEAL_FORM)
    )


def field_names(kind: str, version: int | None = None) -> tuple[str, ...]:
    """Return the names of the fields for a kind of applicant, "person" or "entity", in order.

    Fields that are asked for certain directions only are left out.
    """
    return tuple(field.name for field in form_definition(version).fields_for_applicant(kind))


def clean_values(values: dict[str, str], version: int | None = None) -> dict[str, str]:
    """Return the values of the form's and the consultation's fields, without blanks around them.

    Empty values, and those under other names, are dropped. `version`: that of the form, by default
    the one in force.
    """
    form_values = forms.cleaned_values(form_definition(version), values)
    return form_values | {
        name: text for name in CONSULTATION_FIELDS if (text := values.get(name, "").strip())
    }


def read_form(values: dict[str, str], today: dt.date, version: int | None = None) -> Reading:
    """Interpret a form's values; never fails, whatever was typed. `today` is the site's date.

    The columns of the result are those of models.Appeal. Without a `version` of the form, the
    recent version is used that has most of the values' fields.
    """
    form_def = (
        form_definition(version)
        if version
        else forms.definition_for_values(forms.APPEAL_FORM, values)
    )
    kind = "entity" if values.get("applicant_kind") == "entity" else "person"
    reading = forms.read_values(form_def, values | {"applicant_kind": kind}, today)
    reading.columns.update(_consultation_columns(values), form_version=form_def.version)
    return reading


def stored_columns(reading: Reading) -> dict[str, Any]:
    """Return the columns to store for an appeal: those of a reading, the applicant, the warnings.

    Creates or updates the applicant, and creates a mahalla that is on no list. Call it in a write
    transaction.
    """
    columns = reading.columns
    if reading.mahalla_text:
        district = columns["district"]
        columns["mahalla"] = catalogs.get_or_create_mahalla(
            reading.mahalla_text, district and district.soato
        )
    return columns | {
        "warnings": [str(doubt) for doubt in reading.doubts],
        "applicant": applicants.update_or_create(columns),
    }


def _consultation_columns(values: dict[str, str]) -> dict[str, Any]:
    """Return the consultation's columns of an appeal; without a request, its texts are dropped."""
    is_requested = bool(values.get("consultation"))
    issue, contact = (values.get(name, "").strip() for name in CONSULTATION_FIELDS[1:])
    return {
        "consultation": is_requested,
        "consultation_issue": issue if is_requested else "",
        "consultation_contact": normalize_apostrophes(contact) if is_requested else "",
    }
