"""Second factors in addition to the password: codes of an app on the phone, or from paper.

The settings (`sign_in`) say for which roles and from which addresses a second factor is required.
It is also required of people who have set one up themselves. A code is accepted once, so that it is
useless to anyone who saw it.
"""

import hashlib
import re
import secrets

import pyotp

from appliance.core import audit, clock
from appliance.core.db import write_transaction
from appliance.core.settings import SignIn
from appliance.core.statements import find_row
from appliance.models import Authenticator, Passkey, RecoveryCode, Session, User
from appliance.people import sessions

CODES_PER_PAPER = 10
ISSUER = "1282"  # name under which the app shows the account
_STEP_SECONDS = 30  # the time for which the app shows a code (RFC 6238)
_MAX_CLOCK_STEPS = 1  # how many of these steps the clock of a telephone may be wrong
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike
_DIGITS = re.compile(r"\d{6}", re.ASCII)


class WrongCode(ValueError):
    """The code is not the person's, or was used before."""


def required_step(rules: SignIn, session: Session, address: str) -> str:
    """Return the step of signing in that the user must take before other pages are accessible.

    The steps are "unlock" (a locked session), "prove" (enter the second factor), "password" (choose
    one's own password), "enrol" (set up the app); "" means that no step is left.
    """
    if session.locked_at:
        return "unlock"
    user = session.user
    is_required = not session.factor and rules.requires_second_factor(user.role, address)
    is_exempt = not is_required and user.role in rules.second_factor_outside
    if not session.factor and not is_exempt and has_second_factor(user):
        return "prove"
    if user.must_change and not session.source:  # external sign-ins have no password
        return "password"
    return "enrol" if is_required else ""


def has_second_factor(user: User) -> bool:
    """Returns True if the person has a second factor."""
    return find_authenticator(user) is not None


def find_authenticator(user: User) -> Authenticator | None:
    """The person's app, if they have one."""
    return find_row(Authenticator, user=user.id)


def count_unused_codes(user: User) -> int:
    """How many of the codes on the person's paper are unused."""
    conditions = (RecoveryCode.user == user, RecoveryCode.used_at.is_null())
    count: int = RecoveryCode.select().where(*conditions).count()
    return count


def create_secret() -> str:
    """A new secret for an app."""
    return pyotp.random_base32()


def provisioning_uri(user: User, secret: str) -> str:
    """Return the otpauth:// URI with which the app is set up, usually read from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)


def enrol_app(session: Session, secret: str, code: str) -> list[str]:
    """Store the secret of a person's app; returns new codes for the paper.

    `code` proves that the app shows the codes of this secret; if not, WrongCode is raised. The
    person's other sessions are ended.
    """
    user, time_step = session.user, _matching_step(secret, code)
    if time_step is None:
        raise WrongCode
    with write_transaction():
        Authenticator.delete().where(Authenticator.user == user).execute()
        columns = {"secret": secret, "made_at": clock.now(), "last_step": time_step}
        Authenticator.create(user=user, **columns)
        mark_proved(session, "code")
        sessions.end_user_sessions(user, kept_session=session)
        audit.record_entry(user.login, "second_factor.set", user.login)
        return renew_codes(user)


def renew_codes(user: User) -> list[str]:
    """New codes for the paper; the former ones become invalid."""
    codes = ["-".join(_random_word() for _ in range(2)) for _ in range(CODES_PER_PAPER)]
    with write_transaction():
        RecoveryCode.delete().where(RecoveryCode.user == user).execute()
        rows = [{"user": user, "hash": _hash_code(code)} for code in codes]
        RecoveryCode.insert_many(rows).execute()
        audit.record_entry(user.login, "second_factor.codes", user.login)
    return codes


def prove_code(session: Session, code: str) -> bool:
    """Check a code of the app or the paper. Returns True if it is correct.

    It then cannot be used again, and is recorded as the second factor of the session.
    """
    code = "".join(code.split()).lower()
    user = session.user
    with write_transaction():
        factor = (
            _use_app_code(user, code) if _DIGITS.fullmatch(code) else _use_paper_code(user, code)
        )
        if factor:
            mark_proved(session, factor)
            audit.record_entry(user.login, "login.second", address=session.address, by=factor)
    return bool(factor)


def remove_factors(user: User, by: str) -> None:
    """Delete a person's app, paper codes and passkeys, and record that in the audit.

    The person's sessions count as without a second factor.
    """
    with write_transaction():
        delete_factors(user)
        audit.record_entry(by, "second_factor.remove", user.login)


def delete_factors(user: User) -> None:
    """Do what `remove_factors` does, without the audit."""
    for table in (Authenticator, RecoveryCode, Passkey):
        table.delete().where(table.user == user).execute()
    Session.update(factor="").where(Session.user == user).execute()


def mark_proved(session: Session, factor: str) -> None:
    """Record the second factor with which the person of a session has proved who they are."""
    session.factor = factor
    Session.update(factor=factor).where(Session.id == session.id).execute()


def _use_app_code(user: User, code: str) -> str:
    """Return "code" if the person's app shows this code and it was not used before, else ""."""
    app = find_authenticator(user)
    time_step = _matching_step(app.secret, code) if app else None
    if app is None or time_step is None:
        return ""
    conditions = (Authenticator.id == app.id, Authenticator.last_step < time_step)
    return "code" if Authenticator.update(last_step=time_step).where(*conditions).execute() else ""


def _use_paper_code(user: User, code: str) -> str:
    """Return "paper" if this is an unused code of the person's paper, else ""."""
    conditions = (RecoveryCode.user == user, RecoveryCode.hash == _hash_code(code))
    unused = RecoveryCode.used_at.is_null()
    is_updated = RecoveryCode.update(used_at=clock.now()).where(*conditions, unused).execute()
    return "paper" if is_updated else ""


def _matching_step(secret: str, code: str) -> int | None:
    """Return the step (number of half minutes since 1970) in which an app shows this code.

    None if that is not about now.
    """
    app, current_step = pyotp.TOTP(secret), int(clock.now().timestamp()) // _STEP_SECONDS
    code = "".join(code.split())
    candidates = range(current_step - _MAX_CLOCK_STEPS, current_step + _MAX_CLOCK_STEPS + 1)
    return next(
        (
            step
            for step in candidates
            if secrets.compare_digest(_app_code(app, step), code.encode())
        ),
        None,
    )


def _app_code(app: pyotp.TOTP, half_minute: int) -> bytes:
    """The code that the app shows in this half minute."""
    return app.generate_otp(half_minute).encode()


def _random_word() -> str:
    """Five random letters or digits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


def _hash_code(code: str) -> str:
    """Return the SHA-256 of a paper code, which has about 50 random bits.

    A plain hash suffices, because the database also contains the secret of the app in plain text.
    """
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()
