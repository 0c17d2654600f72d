"""What the ministry writes on an appeal's card and has not sent: it outlives page and session."""

import datetime as dt

from appliance.core import clock
from appliance.core.db import writing
from appliance.models import AnswerDraft, Appeal, User


class Elsewhere(Exception):
    """The same person has gone on writing in another tab; `draft` is what stands there."""

    def __init__(self, draft: AnswerDraft) -> None:
        super().__init__(draft.appeal_id)
        self.draft = draft


def of(user: User, appeal: Appeal) -> AnswerDraft | None:
    """What somebody has written about an appeal and not sent."""
    return AnswerDraft.get_or_none(AnswerDraft.user == user, AnswerDraft.appeal == appeal)


def begun(user: User, appeals: list[Appeal]) -> set[int]:
    """The ids of those appeals about which somebody has written and not sent it."""
    own = AnswerDraft.select(AnswerDraft.appeal).where(
        AnswerDraft.user == user, AnswerDraft.appeal.in_([appeal.id for appeal in appeals])
    )
    return {draft.appeal_id for draft in own}


def save(
    user: User,
    appeal: Appeal,
    action: str,
    text: str,
    department: str = "",
    seen: dt.datetime | None = None,
) -> AnswerDraft | None:
    """Keep what stands in the form now; an empty text is kept no more.

    `seen`: when the draft was saved that the page knows of, None for none. Raises Elsewhere when
    another text was saved since.
    """
    now = clock.now()
    with writing():
        before = of(user, appeal)
        if before and before.updated_at != seen and before.text != text:
            raise Elsewhere(before)
        discard(user, appeal)
        if text.strip():
            AnswerDraft.create(
                user=user,
                appeal=appeal,
                action=action,
                text=text,
                department=department,
                updated_at=now,
            )
    return of(user, appeal)


def discard(user: User, appeal: Appeal) -> None:
    """Throw away what somebody has written about an appeal: it was sent."""
    own = (AnswerDraft.user == user, AnswerDraft.appeal == appeal)
    AnswerDraft.delete().where(*own).execute()
