"""Appeals: form №1, its drafts, its registering, who may see it."""

from appliance.appeals.desk import Desk, at_hand, blank, of_draft
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
from appliance.appeals.queries import of_call, of_caller, registered_by, visible_to
from appliance.appeals.registering import register

__all__ = [
    "AlreadyRegistered",
    "Desk",
    "at_hand",
    "blank",
    "call_of",
    "discard_draft",
    "draft",
    "draft_of",
    "drafts",
    "of_call",
    "of_caller",
    "of_draft",
    "register",
    "registered_by",
    "save_draft",
    "token_for",
    "visible_to",
]
