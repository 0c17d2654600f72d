"""Registered calls: an operator fills in a call form for every answered call, appeal or not.

It is form №2; form №1 is the appeal form. A registered call is a call whose form is registered.
"""

from appliance.casework.call_forms.correcting import correct_call_form, list_previous_form_values
from appliance.casework.call_forms.directions import direction_from_ledger
from appliance.casework.call_forms.exporting import (
    exportable_columns,
    field_values,
    iterate_registrations,
)
from appliance.casework.call_forms.queries import (
    EMPTY_CALL_TYPES,
    Filters,
    call_form_values,
    calls_to_register,
    count_call_forms,
    count_registered_calls,
    find_call_form,
    form_of_operator,
    forms_without_appeal,
    is_request,
    iterate_form_batches,
    list_call_forms,
    visible_call_forms,
    visible_forms_of_call,
)
from appliance.casework.call_forms.registering import (
    NoCall,
    prefilled_values,
    register,
    register_with_addition,
    register_with_appeal,
)

__all__ = [
    "EMPTY_CALL_TYPES",
    "NoCall",
    "Filters",
    "direction_from_ledger",
    "correct_call_form",
    "count_call_forms",
    "exportable_columns",
    "field_values",
    "find_call_form",
    "list_call_forms",
    "register_with_addition",
    "register_with_appeal",
    "forms_without_appeal",
    "form_of_operator",
    "is_request",
    "iterate_form_batches",
    "prefilled_values",
    "register",
    "count_registered_calls",
    "iterate_registrations",
    "calls_to_register",
    "call_form_values",
    "visible_forms_of_call",
    "visible_call_forms",
    "list_previous_form_values",
]
