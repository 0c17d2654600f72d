"""What an operator has typed and not yet registered; it outlives page, session and browser."""

import datetime as dt
import re
import uuid

from appliance.casework.appeals import form
from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.models import Appeal, Call, Draft, QueueVisit, Ring, Talk, User

MOST = 200  # unfinished forms without a call that one operator may have


class TooMany(Exception):
    """The operator has too many unfinished forms to begin another."""


class AlreadyRegistered(Exception):
    """The form that is being saved was registered before, under this appeal."""

    def __init__(self, appeal: Appeal) -> None:
        super().__init__(appeal.number)
        self.appeal = appeal


def token_for(operator: User, call: Call | None) -> str:
    """The name of the form that the operator fills for a call; a new one without a call.

    Every page and tab that opens the form of a call gets the same, so sending it from two of them
    registers one appeal; once registered, the next form of the same call gets another.
    """
    if not call:
        return uuid.uuid4().hex
    made = Appeal.select().where(Appeal.operator == operator, Appeal.call_id == call.id).count()
    return f"{call.id}-{operator.id}-{made}"


def is_token(text: str) -> bool:
    """Whether this can be the name of a form without a call."""
    return re.fullmatch(r"[0-9a-f]{32}", text) is not None


def call_of(operator: User, token: str) -> Call | None:
    """The call that a form of this name belongs to, if it rang at or spoke with the operator, or
    he placed it."""
    call_id, _, rest = token.partition(f"-{operator.id}-")
    if not rest:
        return None
    rang = QueueVisit.select(QueueVisit.call).join(Ring).where(Ring.operator == operator.login)
    spoke = Talk.select(Talk.call).where(Talk.who == operator.login)
    placed = (Call.direction == "outbound") & (Call.by == operator.login)
    return Call.get_or_none(Call.id == call_id, Call.id.in_(rang) | Call.id.in_(spoke) | placed)


def draft(operator: User, token: str) -> Draft | None:
    """The operator's own draft of this name."""
    return Draft.get_or_none(Draft.operator == operator, Draft.token == token)


def draft_of(operator: User, call_id: str) -> Draft | None:
    """The operator's draft for a call."""
    return Draft.get_or_none(Draft.operator == operator, Draft.call_id == call_id)


def drafts(operator: User) -> list[Draft]:
    """The operator's drafts in which something was typed, newest first."""
    own = Draft.select().where(Draft.operator == operator).order_by(Draft.updated_at.desc())
    return [draft for draft in own if not form.is_blank(draft.values)]


def save_draft(
    operator: User,
    token: str,
    values: dict[str, str],
    *,
    aside: bool = False,
    typed_at: dt.datetime | None = None,
    base: dict[str, str] | None = None,
) -> Draft:
    """Keep what the form holds now, unless what is kept is newer than `typed_at`.

    `base` is what the page knew to be kept before: only fields that differ from it are changed,
    so that two pages with the same form overwrite nothing of each other's.
    Raises AlreadyRegistered when it comes after registering, TooMany for one form more than MOST
    without a call.
    """
    call = call_of(operator, token)
    now = {
        "token": token,
        "values": form.cleaned(values),
        "updated_at": clock.now(),
        "aside": aside,
    }
    with writing():
        if appeal := registered_as(operator, token):
            raise AlreadyRegistered(appeal)
        kept = draft(operator, token) or (draft_of(operator, call.id) if call else None)
        if kept and typed_at and kept.updated_at > typed_at:
            return kept
        if kept and base is not None:
            now["values"] = _merged(kept.values, form.cleaned(base), form.cleaned(values))
        if kept:
            Draft.update(now).where(Draft.id == kept.id).execute()
        else:
            if not call and _without_call(operator) >= MOST:
                raise TooMany
            Draft.create(operator=operator, call_id=call and call.id, **now)
    return Draft.get(Draft.operator == operator, Draft.token == token)


def _merged(kept: dict[str, str], base: dict[str, str], now: dict[str, str]) -> dict[str, str]:
    """What is kept, with those fields of `now` that are other than in `base`."""
    changed = {name for name in form.NAMES if base.get(name) != now.get(name)}
    rest = {name: text for name, text in kept.items() if name not in changed}
    return rest | {name: now[name] for name in changed if name in now}


def _without_call(operator: User) -> int:
    return Draft.select().where(Draft.operator == operator, Draft.call_id.is_null()).count()


def registered_as(operator: User, token: str) -> Appeal | None:
    """The appeal that the operator's form of this name became."""
    return Appeal.get_or_none(Appeal.token == token, Appeal.operator == operator)


def discard_draft(operator: User, token: str) -> None:
    """Throw a draft away; of a call it stays as an empty one, so that it opens no more."""
    with writing():
        own = (Draft.operator == operator) & (Draft.token == token)
        emptied = Draft.update(values={}, aside=True).where(own, Draft.call_id.is_null(False))
        gone = Draft.delete().where(own, Draft.call_id.is_null())
        if emptied.execute() + gone.execute():
            audit.record(operator.login, "draft.discard", token)
