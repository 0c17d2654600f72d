"""Forms as data: what fields they have, in which version, and how what is typed is understood."""

from appliance.casework.forms.definition import Definition, DefinitionError, Field, Option
from appliance.casework.forms.reading import Reading, asked, cleaned, read
from appliance.casework.forms.values import differences, values_of
from appliance.casework.forms.versions import (
    APPEAL,
    CALL,
    FORMS,
    field_of,
    in_force,
    label,
    of,
    product,
    seed,
)

__all__ = [
    "APPEAL",
    "CALL",
    "FORMS",
    "Definition",
    "DefinitionError",
    "Field",
    "Option",
    "Reading",
    "asked",
    "cleaned",
    "differences",
    "field_of",
    "in_force",
    "label",
    "of",
    "product",
    "read",
    "seed",
    "values_of",
]
