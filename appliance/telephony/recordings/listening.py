"""Who may hear recordings, and that each hearing has its reason and is written down."""

import datetime as dt

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.models import Listening, ListeningRight, User
from appliance.people import rights

GRANTED = (rights.GIVEN, rights.OWN_GIVEN)
OPEN = dt.timedelta(hours=1)  # how long a reason given once holds for one call
_SHORTEST = 3  # letters of a reason


class NoReason(ValueError):
    """Nobody hears a recording without saying why."""


class NotAllowed(PermissionError):
    """This person may not hear recordings."""


def may_listen(user: User) -> bool:
    """Whether this person may hear recordings at all, with a reason."""
    scope = rights.scope_of(user, "recording.listen")
    return scope == rights.REASON or (scope in GRANTED and is_allowed(user))


def is_allowed(user: User) -> bool:
    """Whether the right that goes by the person was given."""
    return bool(ListeningRight.select().where(ListeningRight.login == user.login).exists())


def may_be_allowed(user: User) -> bool:
    """Whether it goes by the person: of the ministry, and of an operator for his own calls."""
    return rights.scope_of(user, "recording.listen") in GRANTED


def allow(user: User, allowed: bool, by: str) -> None:
    """Give or take the right that goes by the person. Raises NotAllowed where it goes by role."""
    if allowed and not may_be_allowed(user):
        raise NotAllowed(user.login)
    with writing():
        ListeningRight.delete().where(ListeningRight.login == user.login).execute()
        if allowed:
            ListeningRight.create(login=user.login)
        audit.record(by, "recording.right", user.login, allowed=allowed)


def begin(user: User, call_id: str, reason: str) -> None:
    """Let somebody hear a call's recordings for a while. Raises NotAllowed, NoReason."""
    if not may_listen(user):
        raise NotAllowed(user.login)
    reason = " ".join(reason.split())
    if len(reason) < _SHORTEST:
        raise NoReason(call_id)
    with writing():
        Listening.create(login=user.login, call_id=call_id, at=clock.now(), reason=reason[:500])
        audit.record(user.login, "recording.listen", call_id, reason=reason[:500])


def reason_of(user: User, call_id: str) -> str | None:
    """The reason for which he hears this call's recordings now; None: he gave none so far."""
    found = _now(user, call_id)
    return found.reason if found else None


def take(user: User, call_id: str, part: str) -> str | None:
    """Write down that somebody takes a recording away; the reason, None: he gave none so far."""
    found = _now(user, call_id)
    if not found:
        return None
    audit.record(user.login, "recording.download", call_id, part=part, reason=found.reason)
    reason: str = found.reason
    return reason


def _now(user: User, call_id: str) -> Listening | None:
    """The hearing that somebody was let to by his newest reason, while it holds."""
    if not may_listen(user):
        return None
    rows = Listening.select().where(
        Listening.login == user.login,
        Listening.call_id == call_id,
        Listening.at > clock.now() - OPEN,
    )
    return rows.order_by(Listening.at.desc()).first()
