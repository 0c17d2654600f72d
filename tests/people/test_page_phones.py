"""The phone in a page ends with the session of that page, and with nothing else."""

import pytest

from appliance.core import clock
from appliance.models import AuditEntry, LiveEvent, Session, User
from appliance.people import accounts, page_phones, sessions, staff


@pytest.fixture
def session(nilufar) -> Session:
    """Nilufar's, whose page has the phone."""
    accounts.choose_phone(nilufar, "page", auto_answer=False)
    begun, _ = sessions.begin(nilufar, "192.168.1.20")
    accounts.take_phone(nilufar, "one", begun)
    return begun


def now(user: User) -> User:
    return User.get_by_id(user.id)


def leave_it(session: Session) -> None:
    sessions.leave(session)


def end_it(session: Session) -> None:
    sessions.end(session, "sherzod")


def sign_out(session: Session) -> None:
    staff.sign_out(session.user, None)


def disable(session: Session) -> None:
    staff.disable(session.user, None)


def change_password(session: Session) -> None:
    accounts.set_password(session.user, "besh soʻz bir raqam 7", by="nilufar")


def grow_old(session: Session) -> None:
    Session.update(begun_at=clock.now() - sessions.LASTS).execute()


@pytest.mark.parametrize("over", [leave_it, end_it, sign_out, disable, change_password, grow_old])
def test_it_ends_with_its_session(nilufar, session, over) -> None:
    assert page_phones.abandoned() == []
    over(session)
    sessions.begin(nilufar, "192.168.1.20")  # may have the id of the one that ended
    assert page_phones.abandoned() == [nilufar]
    before, begun = page_phones.password_of(now(nilufar)), LiveEvent.select().count()
    page_phones.end(now(nilufar))
    after = now(nilufar)
    assert page_phones.password_of(after) not in (None, before)
    assert (after.sip_password, after.phone_page) == (nilufar.sip_password, None)
    assert LiveEvent.select().count() == begun + 2  # so Asterisk learns of it
    assert page_phones.abandoned() == []
    assert page_phones.ended() == ([nilufar] if after.active else [])
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).get()
    assert (last.who, last.action, last.subject) == ("pbx", "user.phone", "nilufar")
    page_phones.settle(after)
    assert page_phones.ended() == []


def test_a_page_that_is_loaded_again_keeps_it(nilufar, session) -> None:
    accounts.take_phone(nilufar, "two", session)
    assert page_phones.abandoned() == []
    assert page_phones.password_of(now(nilufar)) == nilufar.sip_password


def test_another_sign_in_of_the_person_ends_without_it(nilufar, session) -> None:
    other, _ = sessions.begin(nilufar, "192.168.1.21")
    sessions.leave(other)
    assert page_phones.abandoned() == []
    newer, _ = sessions.begin(nilufar, "192.168.1.21")
    accounts.take_phone(nilufar, "two", newer)
    sessions.leave(session)  # the phone is at the other computer now
    assert page_phones.abandoned() == []


def test_a_phone_on_the_desk_keeps_its_password(nilufar, session) -> None:
    accounts.choose_phone(nilufar, "desk", auto_answer=False)
    sessions.leave(session)
    page_phones.end(now(nilufar))
    after = now(nilufar)
    assert (after.page_password, after.phone_session) == (None, None)
    assert after.sip_password == nilufar.sip_password


def test_who_took_it_in_between_keeps_it(nilufar, session) -> None:
    sessions.leave(session)
    (abandoned,) = page_phones.abandoned()
    newer, _ = sessions.begin(nilufar, "192.168.1.20")
    accounts.take_phone(nilufar, "two", newer)
    page_phones.end(abandoned)
    assert (now(nilufar).page_password, now(nilufar).phone_page) == (None, "two")


def test_a_new_phone_password_is_also_one_of_the_page(nilufar, session) -> None:
    given = staff.give_phone_password(now(nilufar), None)
    assert page_phones.password_of(now(nilufar)) not in (nilufar.sip_password, given.phone_password)
