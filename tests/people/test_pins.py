"""A PIN, where the password was given lately."""

import datetime as dt
import hashlib
import time

import pytest

from appliance.core import clock
from appliance.core.settings import SignIn
from appliance.models import Pin, User
from appliance.people import accounts, pins, sessions, sign_ins
from appliance.people.accounts import StaffError

PIN, SECRET = "4071", "secret"


@pytest.fixture
def desk(nilufar):
    """Nilufar's session at a desk, where she has chosen a PIN."""
    session, _ = sessions.begin(nilufar, "192.168.1.20", device="desk-1")
    pins.choose(nilufar, PIN, SECRET)
    pins.remember(session)
    return session


def here(**rules) -> list[str]:
    found = pins.at(SignIn(**rules), "desk-1", ["nilufar", "sardor", "dilnoza"], SECRET)
    return [one.user.login for one in found]


@pytest.mark.parametrize(
    "pin", ["", "123", "1234", "9876", "1111", "1212", "123456789", "12a4", "١٢٣٤"]
)
def test_a_plain_one_is_refused(nilufar, pin) -> None:
    with pytest.raises(StaffError, match="digits"):
        pins.choose(nilufar, pin, SECRET)
    assert not pins.has(nilufar, SECRET)


def test_it_is_kept_as_a_hash_and_fits_its_person_alone(desk, sardor) -> None:
    assert PIN not in Pin.get().hash
    assert pins.fits(desk.user, PIN, SECRET)
    assert not pins.fits(desk.user, "4072", SECRET)
    assert not pins.fits(sardor, PIN, SECRET)


def test_by_the_database_alone_nobody_finds_it(desk, sardor) -> None:
    """Any hash of four digits is found by trying; not so one that the site's secret keys."""
    pins.choose(sardor, PIN, SECRET)
    kept = {one.hash for one in Pin.select()}
    assert len(kept) == 2
    plain = {hashlib.sha256(f"{n:04}".encode()).hexdigest() for n in range(10_000)}
    assert not {one.split()[1] for one in kept} & plain
    assert not pins.fits(desk.user, PIN, "another secret")


def test_by_another_secret_there_are_none_any_more(desk) -> None:
    assert pins.at(SignIn(), "desk-1", ["nilufar"], "another secret") == []
    assert not pins.has(desk.user, "another secret")


def test_a_whole_shift_signs_in_without_waiting_for_the_processor(desk) -> None:
    """A password takes a quarter of a second of one, and 64 MiB."""
    begun = time.process_time()
    for _ in range(25):
        assert pins.fits(desk.user, PIN, SECRET)
    assert time.process_time() - begun < 0.5


def test_it_signs_in_where_the_password_was_given_lately(desk, monkeypatch) -> None:
    assert here() == ["nilufar"]
    assert here(pin_hours=0) == here(pin_roles=()) == []
    assert pins.at(SignIn(), "desk-2", ["nilufar"], SECRET) == []
    assert pins.at(SignIn(), "desk-1", ["sardor"], SECRET) == []  # not in the device's own cookie
    later = clock.now() + dt.timedelta(hours=17)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert here() == []


@pytest.mark.parametrize(
    "change", ["password", "closed", "first", "role", "forgotten", "ended", "everywhere"]
)
def test_what_changes_the_person_ends_it(desk, change) -> None:
    user = desk.user
    match change:
        case "password":
            accounts.set_password(user, "yangi-parol", by="test")
        case "closed":
            accounts.disable(user, by="test")
        case "first":
            User.update(must_change=True).where(User.id == user.id).execute()
        case "role":
            User.update(role="manager").where(User.id == user.id).execute()
        case "forgotten":
            pins.give_up(user)
        case "ended":
            sessions.end(desk, "rustam")
        case "everywhere":
            sessions.end_all(user)
    assert here() == []


def test_signing_out_leaves_it_for_the_next_shift(desk) -> None:
    sessions.leave(desk)
    assert here() == ["nilufar"]


def test_five_wrong_ones_end_it(desk) -> None:
    for _ in range(5):
        assert not sign_ins.check_pin(desk.user, "0000", "desk-1", SECRET)
    with pytest.raises(sign_ins.TooMany):
        sign_ins.check_pin(desk.user, PIN, "desk-1", SECRET)
    assert sign_ins.check_pin(desk.user, PIN, "desk-2", SECRET)
    assert sign_ins.check("nilufar", "parol-parol", "192.168.1.20") == desk.user
