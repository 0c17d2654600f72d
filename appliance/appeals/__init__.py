"""Appeals: form №1, its drafts, its registering, who may see it."""

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
from appliance.appeals.known import known_values, values_of
from appliance.appeals.queries import of_call, of_caller, registered_by, visible_to
from appliance.appeals.registering import register
from appliance.appeals.telling import by_keys, state_told

__all__ = [
    "AlreadyRegistered",
    "Desk",
    "at_hand",
    "by_keys",
    "call_of",
    "discard_draft",
    "draft",
    "draft_of",
    "drafts",
    "known_values",
    "of_call",
    "of_caller",
    "of_form",
    "register",
    "registered_by",
    "save_draft",
    "state_told",
    "token_for",
    "values_of",
    "visible_to",
]
