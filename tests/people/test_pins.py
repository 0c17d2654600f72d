"""A PIN, where the password was given lately."""

import datetime as dt

import pytest

from appliance.core import clock
from appliance.core.settings import SignIn
from appliance.models import Pin, User
from appliance.people import accounts, pins, sessions, sign_ins
from appliance.people.accounts import StaffError

PIN = "4071"


@pytest.fixture
def desk(nilufar):
    """Nilufar's session at a desk, where she has chosen a PIN."""
    session, _ = sessions.begin(nilufar, "192.168.1.20", device="desk-1")
    pins.choose(nilufar, PIN)
    pins.remember(session)
    return session


def here(**rules) -> list[str]:
    found = pins.at(SignIn(**rules), "desk-1", ["nilufar", "sardor", "dilnoza"])
    return [one.user.login for one in found]


@pytest.mark.parametrize(
    "pin", ["", "123", "1234", "9876", "1111", "1212", "123456789", "12a4", "١٢٣٤"]
)
def test_a_plain_one_is_refused(nilufar, pin) -> None:
    with pytest.raises(StaffError, match="digits"):
        pins.choose(nilufar, pin)
    assert pins.of(nilufar) is None


def test_it_is_kept_as_a_hash_and_fits_its_person_alone(desk, sardor) -> None:
    assert PIN not in Pin.get().hash
    assert pins.fits(desk.user, PIN)
    assert not pins.fits(desk.user, "4072")
    assert not pins.fits(sardor, PIN)


def test_it_signs_in_where_the_password_was_given_lately(desk, monkeypatch) -> None:
    assert here() == ["nilufar"]
    assert here(pin_hours=0) == here(pin_roles=()) == []
    assert pins.at(SignIn(), "desk-2", ["nilufar"]) == []
    assert pins.at(SignIn(), "desk-1", ["sardor"]) == []  # not in the device's own cookie
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
        assert not sign_ins.check_pin(desk.user, "0000", "desk-1")
    with pytest.raises(sign_ins.TooMany):
        sign_ins.check_pin(desk.user, PIN, "desk-1")
    assert sign_ins.check_pin(desk.user, PIN, "desk-2")
    assert sign_ins.check("nilufar", "parol-parol", "192.168.1.20") == desk.user
