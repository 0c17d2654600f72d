"""The phone in an operator's page belongs to the session of that page, and ends with it.

A page knows the phone's password, and its connection to Asterisk stays open for as long as the
browser wants. So whatever ends the session (signing out, somebody else who ends it, another
password, a closed account, its age), the password is changed and Asterisk removes the phone's
registration. A current talk is not touched: its citizen would lose the operator. A page that is
loaded again has the same session and keeps its phone.
"""

import secrets

from appliance.core import audit, live
from appliance.core.db import writing
from appliance.models import User
from appliance.people import accounts, sessions

ENDED = ""  # User.phone_session while Asterisk still has the registration


def password_of(user: User) -> str | None:
    """What the phone in the page registers with."""
    return user.page_password or user.sip_password


def abandoned() -> list[User]:
    """Users whose phone is in a page of a session that is no longer valid."""
    taken = (User.phone_session.is_null(False), User.phone_session != ENDED)
    users = list(User.select().where(*taken))
    holding = sessions.holding_among([user.phone_session for user in users])
    return [user for user in users if user.phone_session not in holding]


def ended() -> list[User]:
    """Users whose registration Asterisk has yet to remove: phone in the page, account open."""
    waiting = User.phone_session == ENDED
    return list(User.select().where(waiting, User.active, User.phone == "page"))


def end(user: User) -> None:
    """Change the password of a phone whose session is over. A phone on the desk keeps its own."""
    same = (User.id == user.id, User.phone_session == user.phone_session)
    if user.phone != "page":
        User.update(phone_session=None).where(*same).execute()
        return
    with writing():
        new = {"page_password": secrets.token_urlsafe(18), "phone_session": ENDED}
        if User.update(new | {"phone_page": None}).where(*same).execute():
            audit.record("pbx", "user.phone", user.login, why="session")
            live.publish(accounts.TOPIC, f"operator:{user.login}")


def settle(user: User) -> None:
    """Mark that Asterisk has removed the phone's registration."""
    same = (User.id == user.id, User.phone_session == ENDED)
    User.update(phone_session=None).where(*same).execute()
