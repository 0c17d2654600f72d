"""Drafts of the texts that the ministry writes about an appeal; they outlive page and session."""

import datetime as dt

from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.statements import find_row
from appliance.models import AnswerDraft, Appeal, User


class DraftChangedElsewhere(Exception):
    """The same user saved another text in another tab; `draft` is the stored one."""

    def __init__(self, draft: AnswerDraft) -> None:
        super().__init__(draft.appeal_id)
        self.draft = draft


def find_draft(user: User, appeal: Appeal) -> AnswerDraft | None:
    """Return the user's unsent draft about an appeal, if any."""
    return find_row(AnswerDraft, user=user.id, appeal=appeal.id)


def appeal_ids_with_draft(user: User, appeals: list[Appeal]) -> set[int]:
    """Return the ids of those of `appeals` about which the user has an unsent draft."""
    drafts = AnswerDraft.select(AnswerDraft.appeal).where(
        AnswerDraft.user == user, AnswerDraft.appeal.in_([appeal.id for appeal in appeals])
    )
    return {draft.appeal_id for draft in drafts}


def save_answer_draft(
    user: User,
    appeal: Appeal,
    action: str,
    text: str,
    department: str = "",
    seen_at: dt.datetime | None = None,
) -> AnswerDraft | None:
    """Store the form's current text, and return the draft; an empty text deletes it: returns None.

    `action` is the step that the form performs, a move of states.WORKFLOW, and `department` the id
    of the department to forward the appeal to, "" if no department is chosen. `seen_at` is when the
    draft that the page shows, if any, was saved. Raises DraftChangedElsewhere if another text was
    saved in the meantime.
    """
    now = clock.now()
    with write_transaction():
        stored = find_draft(user, appeal)
        if stored and stored.updated_at != seen_at and stored.text != text:
            raise DraftChangedElsewhere(stored)
        delete_draft(user, appeal)
        if text.strip():
            AnswerDraft.create(
                user=user,
                appeal=appeal,
                action=action,
                text=text,
                department=department,
                updated_at=now,
            )
    return find_draft(user, appeal)


def delete_draft(user: User, appeal: Appeal) -> None:
    """Delete the user's draft about an appeal, if any, e.g. after its text was sent."""
    conditions = (AnswerDraft.user == user, AnswerDraft.appeal == appeal)
    AnswerDraft.delete().where(*conditions).execute()
