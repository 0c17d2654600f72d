"""Forms as data: their fields, their versions, and how entered values are interpreted."""

from appliance.casework.forms import checks, comparing, definition, drafts, editing, uses
from appliance.casework.forms.counted_values import (
    counted_fields,
    counted_value_labels,
    store_counted_values,
)
from appliance.casework.forms.definition import ADDED_PLACE_KINDS, Definition, Field, Option
from appliance.casework.forms.reading import Reading, applicable_fields, cleaned_values, read_values
from appliance.casework.forms.releases import apply_product_release
from appliance.casework.forms.values import (
    added_field_search_texts,
    added_field_values,
    anonymize_added_fields,
    display_value,
    registered_values,
    value_differences,
)
from appliance.casework.forms.versions import (
    APPEAL_FORM,
    CALL_FORM,
    FORMS,
    column_value_names,
    definition_for_values,
    definition_in_force,
    exportable_fields,
    fields_of_all_versions,
    form_table,
    latest_field,
    numbered_definition,
    product_definition,
    seed_product_forms,
    stored_definition,
)

__all__ = [
    "APPEAL_FORM",
    "CALL_FORM",
    "FORMS",
    "ADDED_PLACE_KINDS",
    "Definition",
    "Field",
    "Option",
    "Reading",
    "added_field_values",
    "counted_value_labels",
    "applicable_fields",
    "cleaned_values",
    "column_value_names",
    "counted_fields",
    "stored_definition",
    "fields_of_all_versions",
    "form_table",
    "exportable_fields",
    "value_differences",
    "latest_field",
    "definition_for_values",
    "definition_in_force",
    "numbered_definition",
    "product_definition",
    "read_values",
    "seed_product_forms",
    "display_value",
    "store_counted_values",
    "apply_product_release",
    "registered_values",
    "anonymize_added_fields",
    "added_field_search_texts",
    "checks",
    "comparing",
    "definition",
    "drafts",
    "editing",
    "uses",
]
