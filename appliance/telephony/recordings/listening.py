"""Who may listen to recordings; every listening has a reason and is stored."""

import datetime as dt

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.models import Listening, ListeningRight, User
from appliance.people import rights

PERSONAL_SCOPES = (rights.WITH_GRANT, rights.OWN_WITH_GRANT)
REASON_VALIDITY = dt.timedelta(hours=1)  # how long one stated reason is valid for one call
_MIN_REASON_CHARACTERS = 3


class MissingReason(ValueError):
    """A recording cannot be listened to without a reason."""


class ListeningNotAllowed(PermissionError):
    """This user may not listen to recordings."""


def can_listen(user: User) -> bool:
    """Returns True if this user may listen to recordings at all, with a reason."""
    scope = rights.scope_of(user, "recording.listen")
    return scope == rights.WITH_REASON or (scope in PERSONAL_SCOPES and has_personal_right(user))


def has_personal_right(user: User) -> bool:
    """Returns True if the user has the personal right, which is granted to users one by one."""
    return bool(ListeningRight.select().where(ListeningRight.login == user.login).exists())


def can_have_personal_right(user: User) -> bool:
    """Returns True if the user's role requires a personal right to listen to recordings.

    That is so for the ministry, and for operators, who may listen to their own calls only.
    """
    return rights.scope_of(user, "recording.listen") in PERSONAL_SCOPES


def set_personal_right(user: User, allowed: bool, by: str) -> None:
    """Grant or withdraw the personal right.

    Raises ListeningNotAllowed if it is granted to a user whose role has no personal right.
    """
    if allowed and not can_have_personal_right(user):
        raise ListeningNotAllowed(user.login)
    with write_transaction():
        ListeningRight.delete().where(ListeningRight.login == user.login).execute()
        if allowed:
            ListeningRight.create(login=user.login)
        audit.record_entry(by, "recording.right", user.login, allowed=allowed)


def begin_listening(user: User, call_id: str, reason: str) -> None:
    """Allow a user to listen to a call's recordings for REASON_VALIDITY.

    Raises ListeningNotAllowed if the user may not listen at all, or MissingReason if the reason is
    empty or too short.
    """
    if not can_listen(user):
        raise ListeningNotAllowed(user.login)
    reason = " ".join(reason.split())
    if len(reason) < _MIN_REASON_CHARACTERS:
        raise MissingReason(call_id)
    with write_transaction():
        Listening.create(login=user.login, call_id=call_id, at=clock.now(), reason=reason[:500])
        audit.record_entry(user.login, "recording.listen", call_id, reason=reason[:500])


def current_reason(user: User, call_id: str) -> str | None:
    """The valid reason of a user for this call, if any."""
    listening = _current_listening(user, call_id)
    return listening.reason if listening else None


def record_download(user: User, call_id: str, file_name: str) -> str | None:
    """Record in the audit that a user downloads a recording, and return the stated reason.

    Returns None, and records nothing, if the user has no valid reason for this call.
    """
    listening = _current_listening(user, call_id)
    if not listening:
        return None
    audit.record_entry(
        user.login, "recording.download", call_id, part=file_name, reason=listening.reason
    )
    reason: str = listening.reason
    return reason


def _current_listening(user: User, call_id: str) -> Listening | None:
    """The newest listening of a user to this call, while its reason is valid."""
    if not can_listen(user):
        return None
    rows = Listening.select().where(
        Listening.login == user.login,
        Listening.call_id == call_id,
        Listening.at > clock.now() - REASON_VALIDITY,
    )
    listening: Listening | None = rows.order_by(Listening.at.desc()).first()
    return listening
