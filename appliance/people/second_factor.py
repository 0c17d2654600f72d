"""What proves a person beside the password: codes of an app on his telephone, or from paper.

Of whom it is asked, and from where, stands in the settings (`sign_in`); who set one up himself is
asked as well. A code is taken once: who looks over the shoulder cannot use it again.
"""

import hashlib
import re
import secrets

import pyotp

from appliance.core import audit, clock
from appliance.core.db import writing
from appliance.core.settings import SignIn
from appliance.core.statements import row_with
from appliance.models import Authenticator, Passkey, RecoveryCode, Session, User
from appliance.people import sessions

CODES = 10  # on one paper
ISSUER = "1282"  # under which name the app shows it
_HALF_MINUTE = 30  # seconds that a code stands (RFC 6238)
_AWRY = 1  # half minutes that a telephone's clock may be wrong
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none is taken for another
_DIGITS = re.compile(r"\d{6}", re.ASCII)


class WrongCode(ValueError):
    """The code is none of the person's, or was taken before."""


def step(rules: SignIn, session: Session, address: str) -> str:
    """What must be done in a session before anything else is open.

    "unlock": show that one is back; "prove": give a code; "password": choose one's own; "enrol":
    set up the app; "": nothing.
    """
    if session.locked_at:
        return "unlock"
    user = session.user
    asked = not session.factor and rules.asks(user.role, address)
    let_off = not asked and user.role in rules.second_factor_outside
    if not session.factor and not let_off and is_set(user):
        return "prove"
    if user.must_change and not session.source:  # who comes from outside has no password here
        return "password"
    return "enrol" if asked else ""


def is_set(user: User) -> bool:
    """Whether he has a second factor."""
    return authenticator(user) is not None


def authenticator(user: User) -> Authenticator | None:
    """His app; None when he has none."""
    return row_with(Authenticator, user=user.id)


def codes_left(user: User) -> int:
    """How many of the codes on his paper were not used yet."""
    mine = (RecoveryCode.user == user, RecoveryCode.used_at.is_null())
    return RecoveryCode.select().where(*mine).count()


def propose() -> str:
    """A secret for an app."""
    return pyotp.random_base32()


def address(user: User, secret: str) -> str:
    """What the app reads from the picture, otpauth://…"""
    return pyotp.TOTP(secret).provisioning_uri(name=user.login, issuer_name=ISSUER)


def enrol(session: Session, secret: str, code: str) -> list[str]:
    """Set up an app that shows this code; returns the codes for the paper.

    The person's other sessions end. Raises WrongCode.
    """
    user, shown = session.user, _shown_at(secret, code)
    if shown is None:
        raise WrongCode
    with writing():
        Authenticator.delete().where(Authenticator.user == user).execute()
        made = {"secret": secret, "made_at": clock.now(), "last_step": shown}
        Authenticator.create(user=user, **made)
        mark(session, "code")
        sessions.end_all(user, but=session)
        audit.record(user.login, "second_factor.set", user.login)
        return renew_codes(user)


def renew_codes(user: User) -> list[str]:
    """New codes for the paper; the former ones are worth nothing any more."""
    codes = ["-".join(_word() for _ in range(2)) for _ in range(CODES)]
    with writing():
        RecoveryCode.delete().where(RecoveryCode.user == user).execute()
        rows = [{"user": user, "hash": _hash(code)} for code in codes]
        RecoveryCode.insert_many(rows).execute()
        audit.record(user.login, "second_factor.codes", user.login)
    return codes


def prove(session: Session, code: str) -> bool:
    """Whether the code is the person's; the session is proved then, and the code used up."""
    code = "".join(code.split()).lower()
    user = session.user
    with writing():
        used = _use_app(user, code) if _DIGITS.fullmatch(code) else _use_paper(user, code)
        if used:
            mark(session, used)
            audit.record(user.login, "login.second", address=session.address, by=used)
    return bool(used)


def remove(user: User, by: str) -> None:
    """Forget his app and his paper, and prove none of his sessions any more. Audited."""
    with writing():
        forget(user)
        audit.record(by, "second_factor.remove", user.login)


def forget(user: User) -> None:
    """What `remove` does, without the audit."""
    for table in (Authenticator, RecoveryCode, Passkey):
        table.delete().where(table.user == user).execute()
    Session.update(factor="").where(Session.user == user).execute()


def mark(session: Session, factor: str) -> None:
    """Note by what the person of a session was proved."""
    session.factor = factor
    Session.update(factor=factor).where(Session.id == session.id).execute()


def _use_app(user: User, code: str) -> str:
    app = authenticator(user)
    shown = _shown_at(app.secret, code) if app else None
    if app is None or shown is None:
        return ""
    newer = (Authenticator.id == app.id, Authenticator.last_step < shown)
    return "code" if Authenticator.update(last_step=shown).where(*newer).execute() else ""


def _use_paper(user: User, code: str) -> str:
    mine = (RecoveryCode.user == user, RecoveryCode.hash == _hash(code))
    unused = RecoveryCode.used_at.is_null()
    used = RecoveryCode.update(used_at=clock.now()).where(*mine, unused).execute()
    return "paper" if used else ""


def _shown_at(secret: str, code: str) -> int | None:
    """The half minute in which an app shows this code, of those that may be now."""
    app, now = pyotp.TOTP(secret), int(clock.now().timestamp()) // _HALF_MINUTE
    code = "".join(code.split())
    near = range(now - _AWRY, now + _AWRY + 1)
    return next((n for n in near if secrets.compare_digest(_code(app, n), code.encode())), None)


def _code(app: pyotp.TOTP, half_minute: int) -> bytes:
    return app.generate_otp(half_minute).encode()


def _word() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(5))


def _hash(code: str) -> str:
    """Of 50 random bits; the database keeps the app's secret beside it in the clear."""
    return hashlib.sha256(code.replace("-", "").encode()).hexdigest()
