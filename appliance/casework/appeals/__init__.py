"""Appeals: form №1, its drafts, its registering, who may see it, what becomes of it."""

from appliance.casework.appeals.correcting import correct, wordings
from appliance.casework.appeals.desk import Desk, at_hand, of_appeal, of_call_form, of_form
from appliance.casework.appeals.handling import HandlingError, begin_missing
from appliance.casework.appeals.prefill import known_values, values_of
from appliance.casework.appeals.queries import (
    call_open_to,
    calls_open_to,
    find,
    is_number,
    look_up,
    of_call,
    of_caller,
    of_department,
    others_of,
    registered_by,
    registered_since,
    returned_to,
    visible_of_call,
    visible_to,
)
from appliance.casework.appeals.registering import register
from appliance.casework.appeals.self_service import by_keys, spoken_state
from appliance.casework.forms.drafts import (
    MOST,
    AlreadyRegistered,
    TooMany,
    call_of,
    discard_draft,
    draft,
    draft_of,
    drafts,
    save_draft,
    token_for,
)

__all__ = [
    "MOST",
    "AlreadyRegistered",
    "Desk",
    "HandlingError",
    "TooMany",
    "at_hand",
    "begin_missing",
    "by_keys",
    "call_of",
    "call_open_to",
    "calls_open_to",
    "correct",
    "discard_draft",
    "draft",
    "draft_of",
    "drafts",
    "find",
    "is_number",
    "known_values",
    "look_up",
    "of_appeal",
    "of_call",
    "of_caller",
    "of_department",
    "of_call_form",
    "of_form",
    "others_of",
    "register",
    "registered_by",
    "registered_since",
    "returned_to",
    "save_draft",
    "spoken_state",
    "token_for",
    "values_of",
    "visible_of_call",
    "visible_to",
    "wordings",
]
