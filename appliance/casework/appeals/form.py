"""Form №1 of an appeal: its fields as they are asked now, and the consultation beside them."""

import datetime as dt
from typing import Any

from appliance.casework import forms
from appliance.casework.forms import Definition, Reading
from appliance.casework.forms.drafts import CONSULTATION
from appliance.core.i18n import spelt

KINDS = ("person", "entity")


def definition(version: int | None = None) -> Definition:
    """The form as it is in force, or as it was in a version."""
    return forms.of(forms.APPEAL, version) if version else forms.in_force(forms.APPEAL)


def fields_of(kind: str, version: int | None = None) -> tuple[str, ...]:
    """The names of the fields that are asked of a person or of a legal entity, in order."""
    return tuple(field.name for field in definition(version).fields_of(kind))


def cleaned(values: dict[str, str], version: int | None = None) -> dict[str, str]:
    """Only the form's own fields, without blanks around; nothing else of a request is kept."""
    own = forms.cleaned(definition(version), values)
    return own | {n: text for n in CONSULTATION if (text := values.get(n, "").strip())}


def read(values: dict[str, str], today: dt.date, version: int | None = None) -> Reading:
    """Understand a form; it never fails, whatever was typed. `today` is the site's date.

    Its columns are those of models.Appeal.
    """
    asked = definition(version) if version else forms.fitting(forms.APPEAL, values)
    kind = "entity" if values.get("applicant_kind") == "entity" else "person"
    reading = forms.read(asked, values | {"applicant_kind": kind}, today)
    reading.columns.update(_consultation(values), form_version=asked.version)
    return reading


def _consultation(values: dict[str, str]) -> dict[str, Any]:
    wanted = bool(values.get("consultation"))
    issue, contact = (values.get(name, "").strip() for name in CONSULTATION[1:])
    return {
        "consultation": wanted,
        "consultation_issue": issue if wanted else "",
        "consultation_contact": spelt(contact) if wanted else "",
    }
