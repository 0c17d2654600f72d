"""The phone in an operator's page belongs to the session of that page, and ends with it.

The page knows the phone's password, and the browser decides how long its connection to Asterisk
stays open. Therefore, whenever the session ends (by signing out, by another person, by a new
password, with the account, or by its age), the password is changed and Asterisk removes the phone's
registration. A talk that is going on is not cut off. A page that is loaded again has the same
session and keeps its phone.
"""

import secrets

from appliance.core import audit, live
from appliance.core.db import write_transaction
from appliance.models import User
from appliance.people import accounts, sessions

ENDED_SESSION = ""  # User.phone_session while Asterisk still has the registration


def browser_phone_password(user: User) -> str | None:
    """The password with which the phone in the page registers."""
    password: str | None = user.page_password or user.sip_password
    return password


def users_with_abandoned_phone() -> list[User]:
    """Users whose phone is in a page of a session that is no longer valid."""
    conditions = (User.phone_session.is_null(False), User.phone_session != ENDED_SESSION)
    users = list(User.select().where(*conditions))
    valid_hashes = sessions.valid_hashes([user.phone_session for user in users])
    return [user for user in users if user.phone_session not in valid_hashes]


def users_to_unregister() -> list[User]:
    """Return the active users with a phone in the page that Asterisk has not unregistered yet."""
    condition = User.phone_session == ENDED_SESSION
    return list(User.select().where(condition, User.active, User.phone == "page"))


def end_phone(user: User) -> None:
    """Change the password of a page's phone whose session is over; a desk phone's is retained."""
    conditions = (User.id == user.id, User.phone_session == user.phone_session)
    if user.phone != "page":
        User.update(phone_session=None).where(*conditions).execute()
        return
    with write_transaction():
        columns = {"page_password": secrets.token_urlsafe(18), "phone_session": ENDED_SESSION}
        if User.update(columns | {"phone_page": None}).where(*conditions).execute():
            audit.record_entry("pbx", "user.phone", user.login, why="session")
            live.publish_topics(accounts.TOPIC, f"operator:{user.login}")


def mark_unregistered(user: User) -> None:
    """Record that Asterisk has removed the phone's registration."""
    conditions = (User.id == user.id, User.phone_session == ENDED_SESSION)
    User.update(phone_session=None).where(*conditions).execute()
