"""Registered calls: form №2, for every answered call, with an appeal or without."""

from appliance.casework.call_forms.correcting import correct, wordings
from appliance.casework.call_forms.directions import by_ledger
from appliance.casework.call_forms.exporting import fields_of, registrations
from appliance.casework.call_forms.queries import (
    Filters,
    counted,
    find,
    listed,
    of_number,
    of_operator,
    pieces,
    registered_of,
    to_register,
    values_of,
    visible_of_call,
    visible_to,
)
from appliance.casework.call_forms.registering import (
    SILENT,
    NoCall,
    of_addition,
    of_appeal,
    prefilled,
    register,
)

__all__ = [
    "SILENT",
    "NoCall",
    "Filters",
    "by_ledger",
    "correct",
    "counted",
    "fields_of",
    "find",
    "listed",
    "of_addition",
    "of_appeal",
    "of_number",
    "of_operator",
    "pieces",
    "prefilled",
    "register",
    "registered_of",
    "registrations",
    "to_register",
    "values_of",
    "visible_of_call",
    "visible_to",
    "wordings",
]
