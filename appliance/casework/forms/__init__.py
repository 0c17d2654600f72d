"""Forms as data: what fields they have, in which version, and how what is typed is understood."""

from appliance.casework.forms.counted import UNLISTED, answers, counted, store_counted
from appliance.casework.forms.definition import (
    OWN_PLACES,
    Definition,
    DefinitionError,
    Field,
    Option,
)
from appliance.casework.forms.reading import Reading, cleaned, fields_of, read
from appliance.casework.forms.releases import take_in
from appliance.casework.forms.values import (
    added,
    differences,
    shown,
    values_of,
    without_person,
    words,
)
from appliance.casework.forms.versions import (
    APPEAL,
    CALL,
    FORMS,
    columns,
    definition_of,
    field_of,
    fields_of_all_versions,
    fitting,
    in_force,
    of,
    product,
    seed,
)

__all__ = [
    "APPEAL",
    "CALL",
    "FORMS",
    "OWN_PLACES",
    "UNLISTED",
    "Definition",
    "DefinitionError",
    "Field",
    "Option",
    "Reading",
    "added",
    "answers",
    "fields_of",
    "cleaned",
    "columns",
    "counted",
    "definition_of",
    "fields_of_all_versions",
    "differences",
    "field_of",
    "fitting",
    "in_force",
    "of",
    "product",
    "read",
    "seed",
    "shown",
    "store_counted",
    "take_in",
    "values_of",
    "without_person",
    "words",
]
