"""Codes of an app and from paper: of whom they are asked, and that each is taken once."""

import datetime as dt

import pyotp
import pytest

from appliance.core import clock
from appliance.core.settings import SignIn
from appliance.models import AuditEntry, RecoveryCode, User
from appliance.people import second_factor, sessions, sign_ins, staff
from appliance.people.accounts import StaffError
from appliance.people.second_factor import WrongCode

NOON = dt.datetime(2026, 11, 18, 7, tzinfo=dt.UTC)
LAN, FAR = "192.168.1.20", "203.0.113.9"


def code(secret: str, seconds: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + dt.timedelta(seconds=seconds))


@pytest.fixture
def enrolled(nilufar, at_noon):
    """Nilufar's app, her codes on paper, and a session that has proved nothing yet."""
    secret = second_factor.propose()
    first, _ = sessions.begin(nilufar, LAN)
    codes = second_factor.enrol(first, secret, code(secret))
    later, _ = sessions.begin(nilufar, LAN)
    return secret, codes, later


@pytest.mark.parametrize(
    ("role", "address", "asked"),
    [
        ("manager", LAN, True),
        ("manager", FAR, True),
        ("operator", LAN, False),
        ("operator", "127.0.0.1", False),
        ("operator", "fd00::5", False),
        ("operator", FAR, True),
        ("operator", "2001:db8::1", True),
        ("operator", "", True),
        ("operator", "nonsense", True),
    ],
)
def test_of_whom_it_is_asked_where_nothing_is_set(role, address, asked) -> None:
    assert SignIn().asks(role, address) == asked


@pytest.mark.parametrize(
    "wrong", [{"second_factor": ("boss",)}, {"inside": ("10.0.0.0/33",)}, {"inside": ("lan",)}]
)
def test_a_mistyped_rule_is_refused(wrong) -> None:
    with pytest.raises(ValueError, match=r"boss|10\.0\.0\.0/33|lan"):
        SignIn(**wrong)


@pytest.mark.parametrize(
    ("rules", "has_one", "address", "step"),
    [
        (SignIn(second_factor=("operator",)), False, LAN, "enrol"),
        (SignIn(second_factor=("operator",)), True, LAN, "prove"),
        (SignIn(), False, LAN, ""),
        (SignIn(), True, LAN, ""),  # let off at the workplace, also who has one
        (SignIn(), True, FAR, "prove"),
        (SignIn(), False, FAR, "enrol"),
        (SignIn((), ()), False, FAR, ""),
        (SignIn((), ()), True, LAN, "prove"),  # his own will
    ],
)
def test_what_is_done_first(nilufar, at_noon, rules, has_one, address, step) -> None:
    if has_one:
        secret = second_factor.propose()
        second_factor.enrol(sessions.begin(nilufar, LAN)[0], secret, code(secret))
    session, _ = sessions.begin(nilufar, address)
    assert second_factor.step(rules, session, address) == step
    session.factor = "code"
    assert second_factor.step(rules, session, address) == ""


def test_a_code_is_taken_once(enrolled) -> None:
    secret, _, session = enrolled
    shown = code(secret, 30)
    assert not second_factor.prove(session, code(secret))  # it set the app up
    assert second_factor.prove(session, f"{shown[:3]} {shown[3:]}")
    assert sessions.find(session.id).factor == "code"
    assert not second_factor.prove(session, shown)
    assert not second_factor.prove(session, code(secret))  # an older one neither


@pytest.mark.parametrize(("seconds", "taken"), [(-60, False), (30, True), (60, False), (90, False)])
def test_a_telephone_may_be_half_a_minute_awry(enrolled, seconds, taken) -> None:
    secret, _, session = enrolled
    assert second_factor.prove(session, code(secret, seconds)) == taken


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1234567", "abc", "١٢٣٤٥٦", "' OR 1"])
def test_what_is_no_code_proves_nothing(enrolled, typed) -> None:
    assert not second_factor.prove(enrolled[2], typed)


def test_a_code_of_the_paper_is_taken_once_however_it_is_typed(enrolled) -> None:
    _, codes, session = enrolled
    assert len(set(codes)) == second_factor.CODES
    assert second_factor.prove(session, f" {codes[0].upper().replace('-', ' ')} ")
    assert sessions.find(session.id).factor == "paper"
    assert not second_factor.prove(session, codes[0])
    assert second_factor.codes_left(session.user) == second_factor.CODES - 1
    assert not {row.hash for row in RecoveryCode.select()} & set(codes)


def test_new_codes_end_the_old_paper(enrolled) -> None:
    _, codes, session = enrolled
    new = second_factor.renew_codes(session.user)
    assert not second_factor.prove(session, codes[1])
    assert second_factor.prove(session, new[1])


def test_another_persons_codes_prove_nothing(enrolled, sardor) -> None:
    secret, codes, _ = enrolled
    session, _ = sessions.begin(sardor, LAN)
    assert not second_factor.prove(session, code(secret, 30))
    assert not second_factor.prove(session, codes[0])


def test_setting_up_needs_the_code_and_ends_other_sessions(nilufar, at_noon) -> None:
    secret = second_factor.propose()
    session, secret_of_it = sessions.begin(nilufar, LAN)
    _, elsewhere = sessions.begin(nilufar, LAN)
    with pytest.raises(WrongCode):
        second_factor.enrol(session, secret, "000000")
    assert not second_factor.is_set(nilufar)
    second_factor.enrol(session, secret, code(secret))
    assert sessions.found(elsewhere) is None
    assert sessions.found(secret_of_it).factor == "code"


def test_the_technician_forgets_it_and_is_written_down(enrolled) -> None:
    _, _, session = enrolled
    technician, backup = (User.get(User.role == role) for role in ("technician", "backup"))
    with pytest.raises(StaffError, match="may not"):
        staff.forget_second_factor(session.user, backup)
    staff.forget_second_factor(session.user, technician)
    assert not second_factor.is_set(session.user)
    assert second_factor.codes_left(session.user) == 0
    assert sessions.of(session.user) == []
    entry = AuditEntry.get(AuditEntry.action == "second_factor.remove")
    assert (entry.who, entry.subject) == (technician.login, "nilufar")
    with pytest.raises(StaffError, match="own"):
        staff.forget_second_factor(technician, technician)


def test_guessing_ends_soon_and_passwords_are_not_counted(enrolled) -> None:
    secret, _, session = enrolled
    for _ in range(5):
        assert not sign_ins.prove(session, "000000")
    with pytest.raises(sign_ins.TooMany):
        sign_ins.prove(session, code(secret, 30))
    assert sign_ins.check("nilufar", "parol-parol", LAN) == session.user
    assert sign_ins.prove(session, code(secret, 30), device="desk")  # a known one has its own


def test_that_codes_are_made_and_a_factor_set_up_is_in_the_audit(nilufar, at_noon) -> None:
    secret = second_factor.propose()
    begun, _ = sessions.begin(nilufar, LAN)
    second_factor.enrol(begun, secret, code(secret))
    made = ("nilufar", "second_factor.codes", "nilufar")
    assert noted() == [("nilufar", "second_factor.set", "nilufar"), made]
    second_factor.renew_codes(nilufar)
    assert noted()[2:] == [made]


def noted() -> list[tuple[str, str, str]]:
    ours = AuditEntry.action.startswith("second_factor.")
    rows = AuditEntry.select().where(ours).order_by(AuditEntry.id)
    return [(row.who, row.action, row.subject) for row in rows]
