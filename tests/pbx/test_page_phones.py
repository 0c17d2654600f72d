"""The phone in a page and the session that has it, with a real Asterisk and a connection to it."""

import dataclasses
from collections.abc import Callable, Iterator

import pytest

from appliance.core.settings import Settings
from appliance.models import Session, User
from appliance.pbx import config_sync, page_phones
from appliance.pbx.ami import Connection, Refused
from appliance.people import accounts, sessions, staff
from appliance.people import page_phones as owners
from tests.pbx.box import Box
from tests.rig.waiting import until
from tests.rig.websocket import SocketPhone

EXTENSION = "1001"


@pytest.fixture(scope="module")
def site(site: Settings) -> Settings:
    """A site that lets phones in pages in; the first operator has one there."""
    let_in = dataclasses.replace(site.asterisk, browser_phones=True)
    accounts.choose_phone(operator(), "page", auto_answer=False)
    return dataclasses.replace(site, asterisk=let_in)


def operator() -> User:
    return User.get(User.extension == EXTENSION)


@pytest.fixture
def session(box: Box) -> Session:
    """The operator's, whose page has the phone."""
    begun, _ = sessions.begin(operator(), "192.168.1.20")
    accounts.take_phone(operator(), "one", begun)
    return begun


@pytest.fixture
def phone(box: Box) -> Iterator[SocketPhone]:
    place = box.settings.asterisk
    with SocketPhone((place.inside, place.http_port), front=False) as opened:
        yield opened


def register(box: Box, phone: SocketPhone, password: str | None) -> int:
    return phone.register(EXTENSION, box.settings.asterisk.address, password or "")


def contact(box: Box) -> str:
    """Where Asterisk would ring the phone, "" nowhere."""
    with Connection(box.settings) as asterisk:
        try:
            known = asterisk.listed("PJSIPShowContacts", "ContactListComplete")
        except Refused:  # there is none at all
            return ""
    return next((one["Uri"] for one in known if one.get("Endpoint") == EXTENSION), "")


def ended(box: Box) -> bool:
    """Whether nothing is left to do, after one look of each thread of the process."""
    page_phones.look(box.settings)
    config_sync.put_in_force(box.settings)
    return operator().phone_session is None


@pytest.mark.parametrize(
    "over",
    [
        sessions.leave,
        lambda session: sessions.end(session, "rustam"),
        lambda session: accounts.set_password(session.user, "besh soz bir raqam 7", by="op01"),
    ],
    ids=("signs out", "is signed out", "another password"),
)
def test_an_open_connection_is_worth_nothing_after_the_session(
    box: Box, session: Session, phone: SocketPhone, over: Callable[[Session], None]
) -> None:
    password = owners.password_of(operator())
    assert register(box, phone, password) == 200
    assert contact(box)
    over(session)
    page_phones.look(box.settings)
    assert not contact(box)  # at once, while the password still holds
    register(box, phone, password)  # it tries again before the new one is in force
    until(lambda: ended(box))
    assert not contact(box)
    assert register(box, phone, password) == 401
    newer = owners.password_of(operator())
    assert register(box, phone, newer) == 200  # as the next sign-in does
    begun, _ = sessions.begin(operator(), "192.168.1.20")
    accounts.take_phone(operator(), "two", begun)
    sessions.leave(begun)
    until(lambda: ended(box))


def test_a_closed_account_has_no_phone_and_comes_back_without_one(
    box: Box, session: Session, phone: SocketPhone
) -> None:
    password = owners.password_of(operator())
    assert register(box, phone, password) == 200
    staff.disable(operator(), None)
    page_phones.look(box.settings)
    config_sync.put_in_force(box.settings)
    assert register(box, phone, password) == 401
    staff.enable(operator(), None)
    until(lambda: ended(box))
    assert register(box, phone, password) == 401
    assert not contact(box)


def test_a_page_that_is_loaded_again_keeps_its_registration(
    box: Box, session: Session, phone: SocketPhone
) -> None:
    password = owners.password_of(operator())
    assert register(box, phone, password) == 200
    other, _ = sessions.begin(operator(), "192.168.1.21")
    sessions.leave(other)
    accounts.take_phone(operator(), "two", session)
    page_phones.look(box.settings)
    assert owners.password_of(operator()) == password
    assert contact(box)
    assert register(box, phone, password) == 200
