"""Appeals: form №1, its drafts, its registering, who may see it, what becomes of it."""

from appliance.appeals.correcting import correct, wordings
from appliance.appeals.desk import Desk, at_hand, of_form
from appliance.appeals.drafts import (
    AlreadyRegistered,
    call_of,
    discard_draft,
    draft,
    draft_of,
    drafts,
    save_draft,
    token_for,
)
from appliance.appeals.handling import HandlingError, begin_missing
from appliance.appeals.known import known_values, values_of
from appliance.appeals.queries import (
    of_call,
    of_caller,
    of_department,
    others_of,
    registered_by,
    returned_to,
    visible_to,
)
from appliance.appeals.registering import register
from appliance.appeals.telling import by_keys, state_told

__all__ = [
    "AlreadyRegistered",
    "Desk",
    "HandlingError",
    "at_hand",
    "begin_missing",
    "by_keys",
    "call_of",
    "correct",
    "discard_draft",
    "draft",
    "draft_of",
    "drafts",
    "known_values",
    "of_call",
    "of_caller",
    "of_department",
    "of_form",
    "others_of",
    "register",
    "registered_by",
    "returned_to",
    "save_draft",
    "state_told",
    "token_for",
    "values_of",
    "visible_to",
    "wordings",
]
