"""The phone in a page and the session that owns it, with a connection to a real Asterisk."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from appliance.core.settings import Settings
from appliance.models import Session, User
from appliance.pbx import browser_phones, config_sync
from appliance.pbx.ami import ActionRefused, Connection
from appliance.people import accounts, sessions, staff
from appliance.people import browser_phones as owners
from tests.pbx.box import Box
from tests.rig.waiting import wait_until
from tests.rig.websocket import SocketPhone

EXTENSION = "1001"


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """A site that admits phones in pages; the first operator has such a phone."""
    asterisk = dataclasses.replace(site.asterisk, browser_phones=True)
    accounts.choose_phone(page_operator(), "page", auto_answer=False)
    return dataclasses.replace(site, asterisk=asterisk)


def page_operator() -> User:
    return User.get(User.extension == EXTENSION)


@pytest.fixture
def session(box: Box) -> Session:
    """The session of the operator whose page has the phone."""
    operator_session, _ = sessions.begin_session(page_operator(), "192.168.1.20")
    accounts.move_phone_to_page(page_operator(), "one", operator_session)
    return operator_session


@pytest.fixture
def phone(box: Box) -> Iterator[SocketPhone]:
    place = box.settings.asterisk
    with SocketPhone((place.inside, place.http_port), use_tls=False) as opened:
        yield opened


def register_phone(box: Box, phone: SocketPhone, password: str | None) -> int:
    return phone.register_phone(EXTENSION, box.settings.asterisk.address, password or "")


def contact_uri(box: Box) -> str:
    """Return the address at which Asterisk would ring the phone, or ""."""
    with Connection(box.settings) as asterisk:
        try:
            contacts = asterisk.list_events("PJSIPShowContacts", "ContactListComplete")
        except ActionRefused:  # there is no contact at all
            return ""
    return next((event["Uri"] for event in contacts if event.get("Endpoint") == EXTENSION), "")


def is_phone_released(box: Box) -> bool:
    """Return True if nothing remains to be done after one pass of each thread of the process."""
    browser_phones.unregister_ended_phones(box.settings)
    config_sync.apply_changes(box.settings)
    return page_operator().phone_session is None


@pytest.mark.parametrize(
    "end_session",
    [
        sessions.sign_out,
        lambda session: sessions.end_session(session, "rustam"),
        lambda session: accounts.set_password(session.user, "besh soz bir raqam 7", by="op01"),
    ],
    ids=("signs out", "is signed out", "another password"),
)
def test_an_open_connection_is_useless_after_the_session(
    box: Box, session: Session, phone: SocketPhone, end_session: Callable[[Session], None]
) -> None:
    password = owners.browser_phone_password(page_operator())
    assert register_phone(box, phone, password) == 200
    assert contact_uri(box)
    end_session(session)
    browser_phones.unregister_ended_phones(box.settings)
    assert not contact_uri(box)  # at once, while the password is still valid
    register_phone(box, phone, password)  # it tries again before the new password is in force
    wait_until(lambda: is_phone_released(box))
    assert not contact_uri(box)
    assert register_phone(box, phone, password) == 401
    newer = owners.browser_phone_password(page_operator())
    assert register_phone(box, phone, newer) == 200  # as the next sign-in does
    next_session, _ = sessions.begin_session(page_operator(), "192.168.1.20")
    accounts.move_phone_to_page(page_operator(), "two", next_session)
    sessions.sign_out(next_session)
    wait_until(lambda: is_phone_released(box))


def test_a_closed_account_has_no_phone_and_is_reopened_without_one(
    box: Box, session: Session, phone: SocketPhone
) -> None:
    password = owners.browser_phone_password(page_operator())
    assert register_phone(box, phone, password) == 200
    staff.disable_person(page_operator(), None)
    browser_phones.unregister_ended_phones(box.settings)
    config_sync.apply_changes(box.settings)
    assert register_phone(box, phone, password) == 401
    staff.enable_person(page_operator(), None)
    wait_until(lambda: is_phone_released(box))
    assert register_phone(box, phone, password) == 401
    assert not contact_uri(box)


def test_a_reloaded_page_keeps_its_registration(
    box: Box, session: Session, phone: SocketPhone
) -> None:
    password = owners.browser_phone_password(page_operator())
    assert register_phone(box, phone, password) == 200
    other, _ = sessions.begin_session(page_operator(), "192.168.1.21")
    sessions.sign_out(other)
    accounts.move_phone_to_page(page_operator(), "two", session)
    browser_phones.unregister_ended_phones(box.settings)
    assert owners.browser_phone_password(page_operator()) == password
    assert contact_uri(box)
    assert register_phone(box, phone, password) == 200
