"""By what parties outside know the people who work here: "openid" and "ldap" (settings).

Who gives a person such a name gives him a way in, as a new password does: whoever may do that may
do this, and every sign-in ends.
"""

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Identity, User
from appliance.people import accounts, sessions, staff
from appliance.people.accounts import StaffError

SOURCES = ("openid", "ldap")
LONGEST = 255  # letters of a name (OpenID Connect Core 1.0, section 2)


def of(user: User) -> dict[str, str]:
    """Source → what it calls the person."""
    return {one.source: one.subject for one in Identity.select().where(Identity.user == user)}


def person(source: str, subject: str) -> User | None:
    """The active user whom a party calls so."""
    known = (Identity.source == source, Identity.subject == subject, User.active)
    return User.select().join(Identity).where(*known).first()


def allow_fallback(user: User, allowed: bool, by: User | None) -> None:
    """Let the stored password sign a person in while the directory is away, or not any more.

    It opens what the directory may have closed, so it needs the right to give the person a new
    password. Raises StaffError: "rights"; "self" (nobody may allow it for their own account).
    """
    if not staff.may_keep(by, user):
        raise StaffError("rights", f"may not change {user.login}")
    if by and by.id == user.id:
        raise StaffError("self", "nobody allows it to himself")
    with writing():
        other = (User.id == user.id, User.directory_fallback != allowed)
        if User.update(directory_fallback=allowed).where(*other).execute():
            audit.record(accounts.login_of(by), "user.fallback", user.login, allowed=allowed)
            live.publish(accounts.TOPIC)


def give(user: User, source: str, subject: str, by: User | None) -> None:
    """Note what a party calls the person; "": nothing any more.

    Raises StaffError: "rights"; "self" (nobody gives himself one); "subject" (somebody else's, or
    too long).
    """
    subject = subject.strip()
    if not staff.may_keep(by, user):
        raise StaffError("rights", f"may not change {user.login}")
    if by and by.id == user.id:
        raise StaffError("self", "nobody gives himself a name of a party outside")
    with writing():
        theirs = Identity.get_or_none(Identity.source == source, Identity.subject == subject)
        if of(user).get(source, "") == subject:
            return
        if theirs or len(subject) > LONGEST or not subject.isprintable():
            raise StaffError("subject", f"somebody else's, or no name: {subject}")
        Identity.delete().where(Identity.user == user, Identity.source == source).execute()
        if subject:
            made = {"source": source, "subject": subject, "made_at": clock.now()}
            Identity.create(user=user, **made)
        sessions.end_all(user)
        audit.record(
            accounts.login_of(by), "user.identity", user.login, source=source, named=subject
        )
        live.publish(accounts.TOPIC)
