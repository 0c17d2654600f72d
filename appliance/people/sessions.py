"""Sign-ins that hold: a row for each. Where it is gone, its cookie opens nothing any more.

The cookie holds a secret that is made at each sign-in, the database only its hash: nobody plants a
session, and who reads the database has none. Whoever ends one publishes its `topic`, so that an
open page of it hears no more, whichever process ended it.
"""

import contextlib
import datetime as dt
import hashlib
import secrets
from collections.abc import Collection

from peewee import Expression

from appliance.core import audit, clock, db, live
from appliance.core.clock import microseconds
from appliance.core.db import writing
from appliance.core.statements import Question, row_with, value
from appliance.models import Desk, Session, User

TOPIC = "sessions"  # of live events: one began or ended
LASTS = dt.timedelta(hours=16)  # at most: the longest shift, and some
_SEEN = dt.timedelta(minutes=1)  # between two notes that it was used
_LONGEST_AGENT = 300
_OF_COOKIE = Question(
    lambda: (
        Session.select()
        .join(User)
        .where(Session.hash == value("hash"), *_begun_after(value("since")))
    )
)


def topic(session: Session) -> str:
    """Of the live event that tells that it was ended."""
    return f"session:{session.id}"


def begin(
    user: User,
    address: str,
    agent: str = "",
    device: str = "",
    factor: str = "",
    source: str = "",
) -> tuple[Session, str]:
    """Begin a session; returned with the secret, which is for the browser's cookie alone.

    `factor`: what proved the person beside the password, "" nothing yet. `source`: "openid" when a
    party outside knew him, "" the box itself.
    """
    secret, now = secrets.token_urlsafe(32), clock.now()
    with writing():
        Session.delete().where(Session.begun_at <= now - LASTS).execute()
        session = Session.create(
            hash=_hash(secret),
            user=user,
            begun_at=now,
            seen_at=now,
            address=address,
            agent=agent[:_LONGEST_AGENT],
            device=device,
            factor=factor,
            source=source,
        )
        live.publish(TOPIC)
    return session, secret


def found(secret: str) -> Session | None:
    """The session of a cookie, with its user; None when it was ended, or is too old."""
    since = microseconds(clock.now() - LASTS)
    session: Session | None = _OF_COOKIE.first(hash=_hash(secret), since=since)
    if session:
        session.user = row_with(User, id=session.user_id)
    return session


def find(number: int) -> Session | None:
    """The session with this id, with its user, while it holds."""
    query = Session.select(Session, User).join(User)
    return query.where(Session.id == number, *_holding()).first()


def holds(session: Session) -> bool:
    """Whether nobody has ended it since it was read."""
    return Session.select().where(Session.id == session.id).exists()


def holding_among(hashes: Collection[str]) -> set[str]:
    """Those of some sessions, by the hashes of their cookies, that hold."""
    rows = Session.select(Session.hash).join(User).where(*_holding())
    return {hash for (hash,) in rows.where(Session.hash.in_(list(hashes))).tuples()}


def see(session: Session, address: str) -> None:
    """Note that it is used, once a minute; a page is shown also where that cannot be."""
    now = clock.now()
    if abs(now - session.seen_at) < _SEEN and session.address == address:
        return
    with contextlib.suppress(db.Error):
        seen = {"seen_at": now, "address": address}
        Session.update(seen).where(Session.id == session.id).execute()


def lock(session: Session) -> None:
    """Cover its pages until the person has shown that he is back."""
    with writing():
        if Session.update(locked_at=clock.now()).where(_open(session)).execute():
            live.publish(TOPIC)
            audit.record(session.user.login, "session.lock", session.user.login)


def unlock(session: Session) -> None:
    """Uncover its pages."""
    with writing():
        Session.update(locked_at=None).where(Session.id == session.id).execute()
        live.publish(TOPIC)
        audit.record(session.user.login, "session.unlock", session.user.login)


def _open(session: Session) -> Expression:
    return (Session.id == session.id) & Session.locked_at.is_null()


def of(user: User) -> list[Session]:
    """Those of a person, the one last used first."""
    return [session for session in every() if session.user == user]


def every() -> list[Session]:
    """All that hold, with their users, the one last used first."""
    query = Session.select(Session, User).join(User).where(*_holding())
    return list(query.order_by(Session.seen_at.desc(), Session.id.desc()))


def leave(session: Session) -> None:
    """End one's own, as signing out does: at this desk the PIN goes on signing in."""
    _end(session, session.user.login, "logout")


def end(session: Session, by: str) -> None:
    """End one at once, if nobody did before; its device asks for the password again."""
    with writing():
        mine = (Desk.user == session.user, Desk.device == session.device)
        Desk.delete().where(*mine).execute()
        _end(session, by, "session.end")


def _end(session: Session, by: str, action: str) -> None:
    with writing():
        if Session.delete().where(Session.id == session.id).execute():
            live.publish(TOPIC, topic(session))
            audit.record(by, action, session.user.login, address=session.address)


def end_others(session: Session) -> int:
    """End all of its person but this one; returns how many."""
    with writing():
        over = end_all(session.user, but=session)
        audit.record(session.user.login, "user.sign_out", session.user.login, sessions=over)
    return over


def end_all(user: User, but: Session | None = None) -> int:
    """End those of a person, perhaps all but one; returns how many. The caller audits why.

    Everywhere else the password is asked for again.
    """
    with writing():
        here = but.device if but else ""
        Desk.delete().where(Desk.user == user, Desk.device != here).execute()
        over = [s for s in Session.select().where(Session.user == user) if s != but]
        Session.delete().where(Session.id.in_([session.id for session in over])).execute()
        if over:
            live.publish(TOPIC, *map(topic, over))
    return len(over)


def _holding() -> tuple[object, ...]:
    return _begun_after(clock.now() - LASTS)


def _begun_after(since: object) -> tuple[object, ...]:
    return User.active, Session.begun_at > since


def _hash(secret: str) -> str:
    """Secrets have 256 random bits: a plain hash cannot be turned back."""
    return hashlib.sha256(secret.encode()).hexdigest()
