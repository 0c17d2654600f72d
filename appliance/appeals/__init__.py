"""Appeals: form №1, its drafts, its registering, who may see it."""

from appliance.appeals.drafts import (
    AlreadyRegistered,
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
    "discard_draft",
    "draft",
    "draft_of",
    "drafts",
    "of_call",
    "of_caller",
    "register",
    "registered_by",
    "save_draft",
    "token_for",
    "visible_to",
]
