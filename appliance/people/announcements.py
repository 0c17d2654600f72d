"""Announcements by supervisors and the manager, shown to one operator or all until read."""

from collections.abc import Sequence

from appliance.core import audit, clock, live
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
from appliance.models import Announcement, AnnouncementReader, User
from appliance.people import accounts

TOPIC = "announcements"
MAX_TEXT_CHARS = 500


def send_announcement(text: str, login: str, by: User) -> Announcement:
    """Send a text to the operator with this login; "" sends it to all operators.

    Raises Refused with the code "empty" or "long" for such a text, or "nobody" if there is no such
    operator.
    """
    text = text.strip()
    if not text:
        raise Refused("empty")
    if len(text) > MAX_TEXT_CHARS:
        raise Refused("long")
    readers = [user for user in accounts.active_operators() if login in ("", user.login)]
    if not readers:
        raise Refused("nobody")
    with write_transaction():
        announcement: Announcement = Announcement.create(sender=by, text=text, sent_at=clock.now())
        for user in readers:
            AnnouncementReader.create(announcement=announcement, user=user)
        audit.record_entry(
            by.login, "announcement.send", login, number=announcement.id, readers=len(readers)
        )
        live.publish_topics(TOPIC)
    return announcement


def unread_announcements(user: User) -> list[AnnouncementReader]:
    """The announcements shown on an operator's page, the oldest first."""
    query = AnnouncementReader.select(AnnouncementReader, Announcement, User)
    query = query.join(Announcement).join(User, on=Announcement.sender)
    conditions = (AnnouncementReader.user == user, AnnouncementReader.read_at.is_null())
    return list(query.where(*conditions).order_by(Announcement.id))


def mark_read(user: User, number: int) -> None:
    """Remove an announcement from an operator's page, if it is theirs and unread."""
    conditions = (
        AnnouncementReader.announcement == number,
        AnnouncementReader.user == user,
        AnnouncementReader.read_at.is_null(),
    )
    with write_transaction():
        if AnnouncementReader.update(read_at=clock.now()).where(*conditions).execute():
            audit.record_entry(user.login, "announcement.read", str(number))
            live.publish_topics(TOPIC)


def newest_announcements(limit: int) -> list[tuple[Announcement, Sequence[AnnouncementReader]]]:
    """The newest announcements, each with its recipients."""
    query = Announcement.select(Announcement, User).join(User)
    query = query.order_by(Announcement.id.desc()).limit(limit)
    return [
        (announcement, list(announcement.readers.join(User).order_by(User.name)))
        for announcement in query
    ]
