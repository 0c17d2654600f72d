"""Names by which external parties identify the staff: an OpenID provider or an LDAP directory.

The owner of such a name can sign in as the person. Therefore setting one needs the same right as
setting a new password, and ends all sessions of the person.
"""

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import Identity, User
from appliance.people import accounts, sessions, staff

SOURCES = ("openid", "ldap")
MAX_SUBJECT_CHARS = 255  # of a name (OpenID Connect Core 1.0, section 2)


def identity_subjects(user: User) -> dict[str, str]:
    """Return the person's names at external parties, by party (one of SOURCES)."""
    return {
        identity.source: identity.subject
        for identity in Identity.select().where(Identity.user == user)
    }


def find_user(source: str, subject: str) -> User | None:
    """Return the active user who has this name at a party, if any."""
    conditions = (Identity.source == source, Identity.subject == subject, User.active)
    user: User | None = User.select().join(Identity).where(*conditions).first()
    return user


def set_directory_fallback(user: User, is_allowed: bool, by: User | None) -> None:
    """Allow or forbid sign-in by the stored password while the directory is unavailable.

    This may give access to a person whom the directory no longer accepts, so it needs the right to
    give the person a new password. Raises Refused with the code "rights" if `by` lacks that right,
    or "self" if the account is their own.
    """
    if not staff.can_manage(by, user):
        raise Refused("rights", f"may not change {user.login}")
    if by and by.id == user.id:
        raise Refused("self", "nobody allows it to himself")
    with write_transaction():
        conditions = (User.id == user.id, User.directory_fallback != is_allowed)
        if User.update(directory_fallback=is_allowed).where(*conditions).execute():
            audit.record_entry(
                accounts.audit_login(by), "user.fallback", user.login, allowed=is_allowed
            )
            live.publish_topics(accounts.TOPIC)


def set_identity(user: User, source: str, subject: str, by: User | None) -> None:
    """Store a party's name for the person; "" removes it.

    Raises Refused with the code "rights" if `by` may not manage the account, "self" if the account
    is their own, or "subject" if the name is invalid or belongs to another person.
    """
    subject = subject.strip()
    if not staff.can_manage(by, user):
        raise Refused("rights", f"may not change {user.login}")
    if by and by.id == user.id:
        raise Refused("self", "nobody gives himself a name of a party outside")
    with write_transaction():
        existing = Identity.get_or_none(Identity.source == source, Identity.subject == subject)
        if identity_subjects(user).get(source, "") == subject:
            return
        if existing or len(subject) > MAX_SUBJECT_CHARS or not subject.isprintable():
            raise Refused("subject", f"somebody else's, or no name: {subject}")
        Identity.delete().where(Identity.user == user, Identity.source == source).execute()
        if subject:
            columns = {"source": source, "subject": subject, "made_at": clock.now()}
            Identity.create(user=user, **columns)
        sessions.end_user_sessions(user)
        audit.record_entry(
            accounts.audit_login(by), "user.identity", user.login, source=source, named=subject
        )
        live.publish_topics(accounts.TOPIC)
