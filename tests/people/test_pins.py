"""Signing in by PIN on a device where the password was entered recently."""

import datetime as dt
import hashlib
import time

import pytest

from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.core.settings import SignIn
from appliance.models import Pin, User
from appliance.people import accounts, pins, sessions, sign_ins

PIN, SECRET = "4071", "secret"


@pytest.fixture
def desk(nilufar):
    """Nilufar's session on a device where she has chosen a PIN."""
    session, _ = sessions.begin_session(nilufar, "192.168.1.20", device="desk-1")
    pins.set_pin(nilufar, PIN, SECRET)
    pins.remember_desk(session)
    return session


def logins_with_pin(**rules) -> list[str]:
    users_found = pins.desks_for_pin(
        SignIn(**rules), "desk-1", ["nilufar", "sardor", "dilnoza"], SECRET
    )
    return [entry.user.login for entry in users_found]


@pytest.mark.parametrize(
    "pin", ["", "123", "1234", "9876", "1111", "1212", "123456789", "12a4", "١٢٣٤"]
)
def test_a_guessable_pin_is_refused(nilufar, pin) -> None:
    with pytest.raises(Refused, match="digits"):
        pins.set_pin(nilufar, pin, SECRET)
    assert not pins.has_pin(nilufar, SECRET)


def test_a_pin_is_stored_as_a_hash_and_fits_only_its_user(desk, sardor) -> None:
    assert PIN not in Pin.get().hash
    assert pins.is_correct_pin(desk.user, PIN, SECRET)
    assert not pins.is_correct_pin(desk.user, "4072", SECRET)
    assert not pins.is_correct_pin(sardor, PIN, SECRET)


def test_a_pin_cannot_be_recovered_from_the_database(desk, sardor) -> None:
    """A plain hash of four digits is found by trial; not so a hash keyed with the site's secret."""
    pins.set_pin(sardor, PIN, SECRET)
    hashes = {pin.hash for pin in Pin.select()}
    assert len(hashes) == 2
    plain = {hashlib.sha256(f"{n:04}".encode()).hexdigest() for n in range(10_000)}
    assert not {pin.split()[1] for pin in hashes} & plain
    assert not pins.is_correct_pin(desk.user, PIN, "another secret")


def test_pins_of_another_site_secret_do_not_count(desk) -> None:
    assert pins.desks_for_pin(SignIn(), "desk-1", ["nilufar"], "another secret") == []
    assert not pins.has_pin(desk.user, "another secret")


def test_the_pins_of_an_entire_shift_take_little_processor_time(desk) -> None:
    """A password takes a quarter of a second of processor time, and 64 MiB."""
    started_at = time.process_time()
    for _ in range(25):
        assert pins.is_correct_pin(desk.user, PIN, SECRET)
    assert time.process_time() - started_at < 0.5


def test_a_pin_signs_in_where_the_password_was_entered_recently(desk, monkeypatch) -> None:
    assert logins_with_pin() == ["nilufar"]
    assert logins_with_pin(pin_hours=0) == logins_with_pin(pin_roles=()) == []
    assert pins.desks_for_pin(SignIn(), "desk-2", ["nilufar"], SECRET) == []
    # not in the cookie of the device
    assert pins.desks_for_pin(SignIn(), "desk-1", ["sardor"], SECRET) == []
    later = clock.now() + dt.timedelta(hours=17)
    monkeypatch.setattr(clock, "now", lambda: later)
    assert logins_with_pin() == []


@pytest.mark.parametrize(
    "change", ["password", "closed", "first", "role", "forgotten", "ended", "everywhere"]
)
def test_changes_to_the_user_invalidate_the_pin(desk, change) -> None:
    user = desk.user
    match change:
        case "password":
            accounts.set_password(user, "yangi-parol", by="test")
        case "closed":
            accounts.disable_account(user, by="test")
        case "first":
            User.update(must_change=True).where(User.id == user.id).execute()
        case "role":
            User.update(role="manager").where(User.id == user.id).execute()
        case "forgotten":
            pins.remove_pin(user)
        case "ended":
            sessions.end_session(desk, "rustam")
        case "everywhere":
            sessions.end_user_sessions(user)
    assert logins_with_pin() == []


def test_signing_out_keeps_the_pin_for_the_next_shift(desk) -> None:
    sessions.sign_out(desk)
    assert logins_with_pin() == ["nilufar"]


def test_five_wrong_pins_invalidate_it(desk) -> None:
    for _ in range(5):
        assert not sign_ins.check_pin(desk.user, "0000", "desk-1", SECRET)
    with pytest.raises(sign_ins.TooManyAttempts):
        sign_ins.check_pin(desk.user, PIN, "desk-1", SECRET)
    assert sign_ins.check_pin(desk.user, PIN, "desk-2", SECRET)
    assert sign_ins.check_password("nilufar", "parol-parol", "192.168.1.20") == desk.user
