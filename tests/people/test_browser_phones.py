"""The phone in a page ends with the session of that page, and with nothing else."""

import pytest

from appliance.core import clock
from appliance.models import AuditEntry, LiveEvent, Session, User
from appliance.people import accounts, browser_phones, sessions, staff


@pytest.fixture
def session(nilufar) -> Session:
    """Nilufar's session, whose page has the phone."""
    accounts.choose_phone(nilufar, "page", auto_answer=False)
    new_session, _ = sessions.begin_session(nilufar, "192.168.1.20")
    accounts.move_phone_to_page(nilufar, "one", new_session)
    return new_session


def reload_user(user: User) -> User:
    return User.get_by_id(user.id)


def leave_session(session: Session) -> None:
    sessions.sign_out(session)


def end_session(session: Session) -> None:
    sessions.end_session(session, "sherzod")


def sign_out_user(session: Session) -> None:
    staff.sign_out_person(session.user, None)


def disable_user(session: Session) -> None:
    staff.disable_person(session.user, None)


def change_user_password(session: Session) -> None:
    accounts.set_password(session.user, "besh soʻz bir raqam 7", by="nilufar")


def expire_session(session: Session) -> None:
    Session.update(begun_at=clock.now() - sessions.MAX_SESSION_AGE).execute()


@pytest.mark.parametrize(
    "end_action",
    [leave_session, end_session, sign_out_user, disable_user, change_user_password, expire_session],
)
def test_a_page_phone_ends_with_its_session(nilufar, session, end_action) -> None:
    assert browser_phones.users_with_abandoned_phone() == []
    end_action(session)
    sessions.begin_session(nilufar, "192.168.1.20")  # it may receive the id of the ended session
    assert browser_phones.users_with_abandoned_phone() == [nilufar]
    before, event_count = (
        browser_phones.browser_phone_password(reload_user(nilufar)),
        LiveEvent.select().count(),
    )
    browser_phones.end_phone(reload_user(nilufar))
    after = reload_user(nilufar)
    assert browser_phones.browser_phone_password(after) not in (None, before)
    assert (after.sip_password, after.phone_page) == (nilufar.sip_password, None)
    assert LiveEvent.select().count() == event_count + 2  # so Asterisk is notified
    assert browser_phones.users_with_abandoned_phone() == []
    assert browser_phones.users_to_unregister() == ([nilufar] if after.active else [])
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (last.who, last.action, last.subject) == ("pbx", "user.phone", "nilufar")
    browser_phones.mark_unregistered(after)
    assert browser_phones.users_to_unregister() == []


def test_a_reloaded_page_keeps_the_phone(nilufar, session) -> None:
    accounts.move_phone_to_page(nilufar, "two", session)
    assert browser_phones.users_with_abandoned_phone() == []
    assert browser_phones.browser_phone_password(reload_user(nilufar)) == nilufar.sip_password


def test_ending_another_session_of_the_user_does_not_affect_the_phone(nilufar, session) -> None:
    other, _ = sessions.begin_session(nilufar, "192.168.1.21")
    sessions.sign_out(other)
    assert browser_phones.users_with_abandoned_phone() == []
    newer, _ = sessions.begin_session(nilufar, "192.168.1.21")
    accounts.move_phone_to_page(nilufar, "two", newer)
    sessions.sign_out(session)  # the phone is at the other computer by then
    assert browser_phones.users_with_abandoned_phone() == []


def test_a_desk_phone_keeps_its_password(nilufar, session) -> None:
    accounts.choose_phone(nilufar, "desk", auto_answer=False)
    sessions.sign_out(session)
    browser_phones.end_phone(reload_user(nilufar))
    after = reload_user(nilufar)
    assert (after.page_password, after.phone_session) == (None, None)
    assert after.sip_password == nilufar.sip_password


def test_a_phone_taken_over_by_another_page_is_not_ended(nilufar, session) -> None:
    sessions.sign_out(session)
    (abandoned,) = browser_phones.users_with_abandoned_phone()
    newer, _ = sessions.begin_session(nilufar, "192.168.1.20")
    accounts.move_phone_to_page(nilufar, "two", newer)
    browser_phones.end_phone(abandoned)
    assert (reload_user(nilufar).page_password, reload_user(nilufar).phone_page) == (None, "two")


def test_a_new_phone_password_replaces_that_of_the_page(nilufar, session) -> None:
    credentials = staff.issue_phone_password(reload_user(nilufar), None)
    assert browser_phones.browser_phone_password(reload_user(nilufar)) not in (
        nilufar.sip_password,
        credentials.phone_password,
    )
