"""Sessions: valid sign-ins, one row each. A cookie whose row is missing gives no access.

The cookie contains a secret that is created at each sign-in; the database contains only its hash.
Nobody can therefore prepare a session for somebody else, or use one that they read in the database.
The end of a session is published under its own topic, so that its open pages receive no more
events, whichever process ended it.
"""

import contextlib
import datetime as dt
import hashlib
import secrets
from collections.abc import Collection

from peewee import Expression

from appliance.core import audit, clock, db, live
from appliance.core.clock import microseconds_since_epoch
from appliance.core.db import write_transaction
from appliance.core.statements import PreparedQuery, find_row, query_parameter
from appliance.models import Desk, Session, User

TOPIC = "sessions"  # of live events: a session began or ended
MAX_SESSION_AGE = dt.timedelta(hours=16)  # the longest shift, with a margin
_USE_INTERVAL = dt.timedelta(minutes=1)  # between two updates of `seen_at`
_MAX_AGENT_CHARS = 300
_SESSION_BY_HASH = PreparedQuery(
    lambda: (
        Session.select()
        .join(User)
        .where(Session.hash == query_parameter("hash"), *_validity_since(query_parameter("since")))
    )
)


def session_topic(session: Session) -> str:
    """The topic of the live event that reports the end of this session."""
    return f"session:{session.id}"


def begin_session(
    user: User,
    address: str,
    agent: str = "",
    device: str = "",
    factor: str = "",
    source: str = "",
) -> tuple[Session, str]:
    """Begin a session; returns it with the secret, which is only for the browser's cookie.

    `device` is the id of the browser's device. `factor` is the second factor with which the person
    signed in, or "". `source` is "openid" if an external party identified the person, or "".
    """
    secret, now = secrets.token_urlsafe(32), clock.now()
    with write_transaction():
        Session.delete().where(Session.begun_at <= now - MAX_SESSION_AGE).execute()
        session = Session.create(
            hash=_hash_secret(secret),
            user=user,
            begun_at=now,
            seen_at=now,
            address=address,
            agent=agent[:_MAX_AGENT_CHARS],
            device=device,
            factor=factor,
            source=source,
        )
        live.publish_topics(TOPIC)
    return session, secret


def session_of_cookie(secret: str) -> Session | None:
    """Return the session of a cookie, with its user; None if it was ended or is too old."""
    since = microseconds_since_epoch(clock.now() - MAX_SESSION_AGE)
    session: Session | None = _SESSION_BY_HASH.fetch_first(hash=_hash_secret(secret), since=since)
    if session:
        session.user = find_row(User, id=session.user_id)
    return session


def find_session(session_id: int) -> Session | None:
    """The session with this id, with its user, if it is valid."""
    query = Session.select(Session, User).join(User)
    conditions = (Session.id == session_id, *_validity_conditions())
    session: Session | None = query.where(*conditions).first()
    return session


def still_exists(session: Session) -> bool:
    """Returns True if the session was not ended since it was read."""
    is_found: bool = Session.select().where(Session.id == session.id).exists()
    return is_found


def valid_hashes(hashes: Collection[str]) -> set[str]:
    """Return those of these hashes (of the cookies' secrets) that belong to valid sessions."""
    rows = Session.select(Session.hash).join(User).where(*_validity_conditions())
    return {hash for (hash,) in rows.where(Session.hash.in_(list(hashes))).tuples()}


def record_use(session: Session, address: str) -> None:
    """Record that the session is used, at most once a minute for the same address.

    A failure of the database is ignored, because the page can be shown nevertheless.
    """
    now = clock.now()
    if abs(now - session.seen_at) < _USE_INTERVAL and session.address == address:
        return
    with contextlib.suppress(db.Error):
        columns = {"seen_at": now, "address": address}
        Session.update(columns).where(Session.id == session.id).execute()


def lock_session(session: Session) -> None:
    """Lock the session's pages until the person unlocks them by PIN or password."""
    with write_transaction():
        if Session.update(locked_at=clock.now()).where(_unlocked_condition(session)).execute():
            live.publish_topics(TOPIC)
            audit.record_entry(session.user.login, "session.lock", session.user.login)


def unlock_session(session: Session) -> None:
    """Unlock the session's pages."""
    with write_transaction():
        Session.update(locked_at=None).where(Session.id == session.id).execute()
        live.publish_topics(TOPIC)
        audit.record_entry(session.user.login, "session.unlock", session.user.login)


def _unlocked_condition(session: Session) -> Expression:
    """The condition that this session is not locked."""
    return (Session.id == session.id) & Session.locked_at.is_null()


def user_sessions(user: User) -> list[Session]:
    """The valid sessions of a person, the last used first."""
    return [session for session in valid_sessions() if session.user == user]


def valid_sessions() -> list[Session]:
    """All valid sessions, with their users, the last used first."""
    query = Session.select(Session, User).join(User).where(*_validity_conditions())
    return list(query.order_by(Session.seen_at.desc(), Session.id.desc()))


def sign_out(session: Session) -> None:
    """End a session by its own user, whose PIN can still be used on this device."""
    _delete_session(session, session.user.login, "logout")


def end_session(session: Session, by: str) -> None:
    """End a session at once, if it exists; a PIN is then not enough on its device."""
    with write_transaction():
        conditions = (Desk.user == session.user, Desk.device == session.device)
        Desk.delete().where(*conditions).execute()
        _delete_session(session, by, "session.end")


def _delete_session(session: Session, by: str, action: str) -> None:
    """Delete a session, if it exists, publish its end and record it in the audit."""
    with write_transaction():
        if Session.delete().where(Session.id == session.id).execute():
            live.publish_topics(TOPIC, session_topic(session))
            audit.record_entry(by, action, session.user.login, address=session.address)


def end_other_sessions(session: Session) -> int:
    """End all sessions of the person except this one; returns how many."""
    with write_transaction():
        count = end_user_sessions(session.user, kept_session=session)
        audit.record_entry(session.user.login, "user.sign_out", session.user.login, sessions=count)
    return count


def end_user_sessions(user: User, kept_session: Session | None = None) -> int:
    """End all sessions of a person, except `kept_session`; returns how many.

    On all other devices the password is then required. The caller has to audit the reason.
    """
    with write_transaction():
        kept_device = kept_session.device if kept_session else ""
        Desk.delete().where(Desk.user == user, Desk.device != kept_device).execute()
        ended_sessions = [
            row for row in Session.select().where(Session.user == user) if row != kept_session
        ]
        Session.delete().where(Session.id.in_([session.id for session in ended_sessions])).execute()
        if ended_sessions:
            live.publish_topics(TOPIC, *map(session_topic, ended_sessions))
    return len(ended_sessions)


def _validity_conditions() -> tuple[object, ...]:
    """The conditions that a session is valid, for queries that join User."""
    return _validity_since(clock.now() - MAX_SESSION_AGE)


def _validity_since(since: object) -> tuple[object, ...]:
    """The conditions that the account is active and the session began after `since`."""
    return User.active, Session.begun_at > since


def _hash_secret(secret: str) -> str:
    """SHA-256 of a secret: secrets have 256 random bits, so a plain hash cannot be reversed."""
    return hashlib.sha256(secret.encode()).hexdigest()
