"""Codes from an app and from paper: when they are required; each is accepted once."""

import datetime as dt

import pyotp
import pytest

from appliance.core import clock
from appliance.core.refusals import Refused
from appliance.core.settings import SignIn
from appliance.models import AuditEntry, RecoveryCode, User
from appliance.people import second_factor, sessions, sign_ins, staff
from appliance.people.second_factor import WrongCode

NOON = dt.datetime(2026, 11, 18, 7, tzinfo=dt.UTC)
LAN, OUTSIDE = "192.168.1.20", "203.0.113.9"


def totp_code(secret: str, seconds: int = 0) -> str:
    return pyotp.TOTP(secret).at(clock.now() + dt.timedelta(seconds=seconds))


@pytest.fixture
def enrolled(nilufar, at_noon):
    """Nilufar's app secret, her paper codes, and a session without a proven second factor."""
    secret = second_factor.create_secret()
    first, _ = sessions.begin_session(nilufar, LAN)
    codes = second_factor.enrol_app(first, secret, totp_code(secret))
    later, _ = sessions.begin_session(nilufar, LAN)
    return secret, codes, later


@pytest.mark.parametrize(
    ("role", "address", "expected"),
    [
        ("manager", LAN, True),
        ("manager", OUTSIDE, True),
        ("operator", LAN, False),
        ("operator", "127.0.0.1", False),
        ("operator", "fd00::5", False),
        ("operator", OUTSIDE, True),
        ("operator", "2001:db8::1", True),
        ("operator", "", True),
        ("operator", "nonsense", True),
    ],
)
def test_the_default_rules_require_a_second_factor_by_role_and_address(
    role, address, expected
) -> None:
    assert SignIn().requires_second_factor(role, address) == expected


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
        (
            SignIn(),
            True,
            LAN,
            "",
        ),  # not required at the workplace, even of users with a second factor
        (SignIn(), True, OUTSIDE, "prove"),
        (SignIn(), False, OUTSIDE, "enrol"),
        (SignIn((), ()), False, OUTSIDE, ""),
        (SignIn((), ()), True, LAN, "prove"),  # by their own choice
    ],
)
def test_the_next_step_depends_on_rules_factor_and_address(
    nilufar, at_noon, rules, has_one, address, step
) -> None:
    if has_one:
        secret = second_factor.create_secret()
        second_factor.enrol_app(sessions.begin_session(nilufar, LAN)[0], secret, totp_code(secret))
    session, _ = sessions.begin_session(nilufar, address)
    assert second_factor.required_step(rules, session, address) == step
    session.factor = "code"
    assert second_factor.required_step(rules, session, address) == ""


def test_a_code_is_accepted_once(enrolled) -> None:
    secret, _, session = enrolled
    app_code = totp_code(secret, 30)
    assert not second_factor.prove_code(session, totp_code(secret))  # it was used to set the app up
    assert second_factor.prove_code(session, f"{app_code[:3]} {app_code[3:]}")
    assert sessions.find_session(session.id).factor == "code"
    assert not second_factor.prove_code(session, app_code)
    assert not second_factor.prove_code(session, totp_code(secret))  # nor an older code


@pytest.mark.parametrize(
    ("seconds", "accepted"), [(-60, False), (30, True), (60, False), (90, False)]
)
def test_the_clock_of_a_phone_may_differ_by_half_a_minute(enrolled, seconds, accepted) -> None:
    secret, _, session = enrolled
    assert second_factor.prove_code(session, totp_code(secret, seconds)) == accepted


@pytest.mark.parametrize("typed", ["", "000000", "12345", "1234567", "abc", "١٢٣٤٥٦", "' OR 1"])
def test_an_invalid_code_proves_nothing(enrolled, typed) -> None:
    assert not second_factor.prove_code(enrolled[2], typed)


def test_a_paper_code_is_accepted_once_in_any_spelling(enrolled) -> None:
    _, codes, session = enrolled
    assert len(set(codes)) == second_factor.CODES_PER_PAPER
    assert second_factor.prove_code(session, f" {codes[0].upper().replace('-', ' ')} ")
    assert sessions.find_session(session.id).factor == "paper"
    assert not second_factor.prove_code(session, codes[0])
    assert second_factor.count_unused_codes(session.user) == second_factor.CODES_PER_PAPER - 1
    assert not {row.hash for row in RecoveryCode.select()} & set(codes)


def test_new_paper_codes_invalidate_the_old_ones(enrolled) -> None:
    _, codes, session = enrolled
    new = second_factor.renew_codes(session.user)
    assert not second_factor.prove_code(session, codes[1])
    assert second_factor.prove_code(session, new[1])


def test_codes_of_another_user_prove_nothing(enrolled, sardor) -> None:
    secret, codes, _ = enrolled
    session, _ = sessions.begin_session(sardor, LAN)
    assert not second_factor.prove_code(session, totp_code(secret, 30))
    assert not second_factor.prove_code(session, codes[0])


def test_enrolling_requires_a_code_and_ends_other_sessions(nilufar, at_noon) -> None:
    secret = second_factor.create_secret()
    session, secret_of_it = sessions.begin_session(nilufar, LAN)
    _, elsewhere = sessions.begin_session(nilufar, LAN)
    with pytest.raises(WrongCode):
        second_factor.enrol_app(session, secret, "000000")
    assert not second_factor.has_second_factor(nilufar)
    second_factor.enrol_app(session, secret, totp_code(secret))
    assert sessions.session_of_cookie(elsewhere) is None
    assert sessions.session_of_cookie(secret_of_it).factor == "code"


def test_a_technician_removes_a_second_factor_and_is_audited(enrolled) -> None:
    _, _, session = enrolled
    technician, backup = (User.get(User.role == role) for role in ("technician", "backup"))
    with pytest.raises(Refused, match="may not"):
        staff.remove_second_factor(session.user, backup)
    staff.remove_second_factor(session.user, technician)
    assert not second_factor.has_second_factor(session.user)
    assert second_factor.count_unused_codes(session.user) == 0
    assert sessions.user_sessions(session.user) == []
    entry = AuditEntry.get(AuditEntry.action == "second_factor.remove")
    assert (entry.who, entry.subject) == (technician.login, "nilufar")
    with pytest.raises(Refused, match="own"):
        staff.remove_second_factor(technician, technician)


def test_guessing_codes_is_limited_and_passwords_are_counted_separately(enrolled) -> None:
    secret, _, session = enrolled
    for _ in range(5):
        assert not sign_ins.check_code(session, "000000")
    with pytest.raises(sign_ins.TooManyAttempts):
        sign_ins.check_code(session, totp_code(secret, 30))
    assert sign_ins.check_password("nilufar", "parol-parol", LAN) == session.user
    # a known device has its own limit
    assert sign_ins.check_code(session, totp_code(secret, 30), device="desk")


def test_enrolling_and_new_codes_are_audited(nilufar, at_noon) -> None:
    secret = second_factor.create_secret()
    session, _ = sessions.begin_session(nilufar, LAN)
    second_factor.enrol_app(session, secret, totp_code(secret))
    codes_entry = ("nilufar", "second_factor.codes", "nilufar")
    assert audit_entries() == [("nilufar", "second_factor.set", "nilufar"), codes_entry]
    second_factor.renew_codes(nilufar)
    assert audit_entries()[2:] == [codes_entry]


def audit_entries() -> list[tuple[str, str, str]]:
    is_second_factor = AuditEntry.action.startswith("second_factor.")
    rows = AuditEntry.select().where(is_second_factor).order_by(AuditEntry.id)
    return [(row.who, row.action, row.subject) for row in rows]
