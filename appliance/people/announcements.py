"""What supervisors and the manager tell one operator or all, on their pages, until it is read."""

from collections.abc import Sequence

from appliance.core import audit, clock, live
from appliance.core.db import writing
from appliance.models import Announcement, AnnouncementReader, User
from appliance.people import accounts

TOPIC = "announcements"
LONGEST = 500  # characters


class AnnouncementError(ValueError):
    """It cannot be sent; `code`: "empty", "long", "nobody" (no such operator, or none at all)."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def send(text: str, login: str, by: User) -> Announcement:
    """Tell an operator by his login, or with "" every one. Raises AnnouncementError."""
    text = text.strip()
    if not text:
        raise AnnouncementError("empty")
    if len(text) > LONGEST:
        raise AnnouncementError("long")
    readers = [user for user in accounts.operators() if login in ("", user.login)]
    if not readers:
        raise AnnouncementError("nobody")
    with writing():
        made = Announcement.create(sender=by, text=text, sent_at=clock.now())
        for user in readers:
            AnnouncementReader.create(announcement=made, user=user)
        audit.record(by.login, "announcement.send", login, number=made.id, readers=len(readers))
        live.publish(TOPIC)
    return made


def unread(user: User) -> list[AnnouncementReader]:
    """What stands on an operator's page, the oldest first."""
    found = AnnouncementReader.select(AnnouncementReader, Announcement, User)
    found = found.join(Announcement).join(User, on=Announcement.sender)
    mine = (AnnouncementReader.user == user, AnnouncementReader.read_at.is_null())
    return list(found.where(*mine).order_by(Announcement.id))


def read(user: User, number: int) -> None:
    """Take one off an operator's page; what is not his, or was read, stays as it is."""
    mine = (
        AnnouncementReader.announcement == number,
        AnnouncementReader.user == user,
        AnnouncementReader.read_at.is_null(),
    )
    with writing():
        if AnnouncementReader.update(read_at=clock.now()).where(*mine).execute():
            audit.record(user.login, "announcement.read", str(number))
            live.publish(TOPIC)


def newest(most: int) -> list[tuple[Announcement, Sequence[AnnouncementReader]]]:
    """The newest ones, each with those to whom it was sent."""
    found = Announcement.select(Announcement, User).join(User)
    found = found.order_by(Announcement.id.desc()).limit(most)
    return [(one, list(one.readers.join(User).order_by(User.name))) for one in found]
