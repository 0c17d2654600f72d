"""People who work with the hotline: their accounts, roles and passwords."""

import contextlib
import datetime as dt
import functools
import secrets
from collections.abc import Collection

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from appliance.core import audit, clock, db, live, script
from appliance.core.db import writing
from appliance.core.i18n import LOCALES, N_, spelt
from appliance.core.settings.people import ROLES
from appliance.core.statements import Question
from appliance.models import Membership, Session, User
from appliance.people import sessions

TOPIC = "people"  # of live events: an account was made or changed

TAKEN = ("0000",)  # extensions that no person has: the phone of test calls (selftests.PHONE)
CALL_LANGUAGES = {"uz": N_("Uzbek"), "ru": N_("Russian")}  # spoken on the hotline → names
PHONES = ("desk", "page")  # where an operator's phone is
THEMES = ("system", "light", "dark")
SHORTEST_PASSWORD = 10  # characters
_LOOKED_AT = 72  # characters of a password, for how easily it is guessed
_STRONG = 2  # zxcvbn's score: more than a million guesses
_SEEN = dt.timedelta(minutes=1)  # between two notes that a person was seen
LONGEST_LOGIN = 48  # a phone's login stands in each record of Asterisk's log, which may be cut

_WITH_PHONE = Question(
    lambda: User.select().where(User.active, User.extension.is_null(False)).order_by(User.login)
)
_NAMES = Question(lambda: User.select(User.login, User.name, User.name_cyrl))

_hasher = PasswordHasher()


class StaffError(ValueError):
    """An account cannot be made or changed so; `code` names why for the page to say it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def add(
    login: str,
    name: str,
    role: str,
    password: str,
    *,
    extension: str | None = None,
    sip_password: str | None = None,
    speaks: tuple[str, ...] = (),
    topics: tuple[str, ...] | None = None,
    name_cyrl: str = "",
    must_change: bool = False,
    password_hash: str = "",
    phone: str = "desk",
    by: str = "cli",
) -> User:
    """Make an account. Raises StaffError for an unknown role or a login or extension in use.

    `topics`: codes whose callers ring him, None for every one. `name_cyrl`: written from the name
    when left out. `must_change`: the password opens nothing before he has chosen one himself.
    `password_hash`: what `hashed` made of it, for who holds the write lock meanwhile.
    """
    password_hash = password_hash or hashed(password)
    if role not in ROLES:
        raise StaffError("role", f"no such role: {role}; one of {', '.join(ROLES)}")
    prove_phone(phone, role)
    if unknown := set(speaks) - set(CALL_LANGUAGES):
        raise StaffError("speaks", f"no such language: {', '.join(sorted(unknown))}")
    if len(login) > LONGEST_LOGIN:
        raise StaffError("login", f"longer than {LONGEST_LOGIN} characters: {login}")
    with writing():
        if User.get_or_none(User.login == login):
            raise StaffError("login", f"login in use: {login}")
        if extension and (extension in TAKEN or User.get_or_none(User.extension == extension)):
            raise StaffError("extension", f"extension in use: {extension}")
        user = User.create(
            login=login,
            name=spelt(name),
            name_cyrl=" ".join(name_cyrl.split()) or in_cyrillic(name),
            role=role,
            password_hash=password_hash,
            must_change=must_change,
            extension=extension,
            sip_password=sip_password or (secrets.token_urlsafe(18) if extension else None),
            phone=phone,
            speaks=" ".join(speaks),
            topics=None if topics is None else " ".join(topics),
            created_at=clock.now(),
        )
        audit.record(by, "user.add", login, role=role)
        live.publish(TOPIC)
    return user


def hashed(password: str) -> str:
    """What is kept of a password. It takes a while and 64 MiB: not under the write lock."""
    return _hasher.hash(password)


def in_cyrillic(name: str) -> str:
    """A name in Uzbek Cyrillic, proposed from its Latin letters."""
    return script.written(spelt(name), "uz_Cyrl")


def named(user: User, locale: str) -> str:
    """What a person is called on a page or paper of this locale."""
    return (user.name_cyrl if locale != "uz_Latn" else "") or user.name


def authenticate(login: str, password: str) -> User | None:
    """The active user with this login and password, else None."""
    user = User.get_or_none(User.login == login.strip().lower(), User.active)
    if not verified(user.password_hash if user else "", password):
        return None
    if user and _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hashed(password)
        User.update(password_hash=user.password_hash).where(User.id == user.id).execute()
    return user


def verified(kept: str, typed: str) -> bool:
    """Whether `hashed` made this of what was typed; it takes as long where nothing is kept."""
    nobody = _nobody()
    try:
        return _hasher.verify(kept or nobody, typed) and bool(kept)
    except (VerifyMismatchError, InvalidHashError):
        return False


@functools.cache
def _nobody() -> str:
    """Checked when there is no such login: the answer takes as long as for a wrong password."""
    return _hasher.hash(secrets.token_hex())


def set_password(user: User, password: str, by: str, *, must_change: bool = False) -> None:
    """Give the user a new password, and end every session begun with the old one.

    `must_change`: it opens nothing before he has chosen one himself.
    """
    user.password_hash, user.must_change = hashed(password), must_change
    with writing():
        columns = {"password_hash": user.password_hash, "must_change": must_change}
        User.update(columns).where(User.id == user.id).execute()
        sessions.end_all(user)
        audit.record(by, "user.password", user.login)


def prove_strong(password: str, *known: str) -> None:
    """Raise StaffError "short" or "weak" for a password that is guessed soon.

    `known`: what others know of the person, as login and name.
    """
    if len(password) < SHORTEST_PASSWORD:
        raise StaffError("short", f"a password has at least {SHORTEST_PASSWORD} characters")
    # Its lists of words take 11 MB, and most processes see no new password.
    from zxcvbn import zxcvbn

    words = [word for text in known for word in text.split()]
    if zxcvbn(password[:_LOOKED_AT], user_inputs=words)["score"] < _STRONG:
        raise StaffError("weak", "a password like this is guessed soon: take several words")


def disable(user: User, by: str) -> None:
    """Close an account for good; its history stays."""
    with writing():
        User.update(active=False).where(User.id == user.id).execute()
        sessions.end_all(user)
        audit.record(by, "user.disable", user.login)
        live.publish(TOPIC)


def see(user: User) -> None:
    """Note that a person is there, once a minute; a page is shown also where that cannot be."""
    now = clock.now()
    if user.seen_at and abs(now - user.seen_at) < _SEEN:
        return
    with contextlib.suppress(db.Error):
        User.update(seen_at=now).where(User.id == user.id).execute()


def choose_language(user: User, locale: str) -> None:
    """Remember the language of the user's pages. Raises StaffError for an unknown one."""
    if locale not in LOCALES:
        raise StaffError("language", f"no such language: {locale}")
    User.update(language=locale).where(User.id == user.id).execute()


def choose_appearance(user: User, theme: str, large_text: bool) -> None:
    """Remember how the user's pages look. Raises StaffError for an unknown theme."""
    if theme not in THEMES:
        raise StaffError("theme", f"no such theme: {theme}")
    User.update(theme=theme, large_text=large_text).where(User.id == user.id).execute()


def prove_phone(phone: str, role: str) -> None:
    """Raise StaffError "phone" when nobody of this role has his phone there."""
    if phone not in PHONES or (phone == "page" and role != "operator"):
        raise StaffError("phone", f"no phone of {role}: {phone}; one of {', '.join(PHONES)}")


def choose_phone(user: User, phone: str, auto_answer: bool) -> None:
    """Remember where an operator's phone rings, and whether the one in the page answers by itself.

    Raises StaffError "phone".
    """
    prove_phone(phone, user.role)
    wanted: dict[str, str | bool] = {"phone": phone, "auto_answer": auto_answer}
    with writing():
        before = User.get_by_id(user.id)
        changes = {name: value for name, value in wanted.items() if value != getattr(before, name)}
        if not changes:
            return
        User.update(changes).where(User.id == user.id).execute()
        audit.record(user.login, "user.change", user.login, **changes)
        live.publish(TOPIC)


def take_phone(user: User, page: str, session: Session) -> None:
    """Move a user's phone to one of their open pages; the page that had it is notified.

    `session`: the page's. The phone ends with it (`page_phones`).
    """
    owner = {"phone_page": page, "phone_session": session.hash}
    with writing():
        User.update(owner).where(User.id == user.id).execute()
        live.publish(f"operator:{user.login}")


def with_phone() -> list[User]:
    """Active users who have a phone: operators, and supervisors who listen in; by login."""
    return _WITH_PHONE.rows()


def operators() -> list[User]:
    """Active operators with a phone, by login."""
    return list(
        User.select()
        .where(User.role == "operator", User.active, User.extension.is_null(False))
        .order_by(User.login)
    )


def operators_among(ids: Collection[str]) -> list[User]:
    """Those of the accounts with these ids that are operators'."""
    return list(User.select().where(User.id.in_(list(ids)), User.role == "operator"))


def operator(login: str) -> User | None:
    """The operator with this login, his account closed or not; None when there is none."""
    return User.get_or_none(User.login == login, User.role == "operator")


def operator_names(locale: str = "uz_Latn") -> dict[str, str]:
    """Login → name in a locale, of every operator who has or had an account, by name."""
    found = {u.login: named(u, locale) for u in User.select().where(User.role == "operator")}
    return dict(sorted(found.items(), key=lambda item: item[1]))


def of_ministry() -> list[User]:
    """Active users of the ministry, by name."""
    return list(User.select().where(User.role == "ministry", User.active).order_by(User.name))


def names(locale: str = "uz_Latn") -> dict[str, str]:
    """Login → name in a locale, of everybody who has or had an account."""
    return {user.login: named(user, locale) for user in _NAMES.rows()}


def everybody() -> list[User]:
    """Every account, closed or not, by login."""
    return list(User.select().order_by(User.login))


def account(login: str) -> User | None:
    """The account with this login, closed or not; None when there is none."""
    return User.get_or_none(User.login == login)


def find(number: int) -> User | None:
    """The account with this id, closed or not; None when there is none."""
    return User.get_or_none(User.id == number)


def serves(user: User, topic: str) -> bool:
    """Whether callers of this topic ring him, when he speaks their language."""
    return user.topics is None or topic in user.topics.split()


def department_of(user: User) -> int | None:
    """The department whose appeals a ministry's user sees; None: all of them."""
    member = Membership.get_or_none(Membership.user == user)
    return member.department_id if member else None


def login_of(by: User | None) -> str:
    """Whom the audit names for a change: a person, or the command line."""
    return by.login if by else "cli"
