"""Accounts of the staff: their roles, passwords and preferences."""

import contextlib
import datetime as dt
import functools
import secrets
from collections.abc import Collection

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from appliance.core import audit, clock, db, live, script
from appliance.core.db import write_transaction
from appliance.core.i18n import LOCALES, N_, normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.settings import ROLES
from appliance.core.statements import PreparedQuery, find_row
from appliance.models import Membership, Session, User
from appliance.people import sessions

TOPIC = "people"  # of live events: an account was created or changed

RESERVED_EXTENSIONS = ("0000",)  # used by the phone of test calls (selftests.PHONE)
CALL_LANGUAGES = {"uz": N_("Uzbek"), "ru": N_("Russian")}  # the hotline's languages, by code
PHONE_KINDS = ("desk", "page")  # where an operator's phone is
THEMES = ("system", "light", "dark")
MIN_PASSWORD_CHARS = 10
_MAX_SCORED_CHARS = 72  # only this much of a password is used to estimate its strength
_MIN_PASSWORD_SCORE = 2  # of zxcvbn: more than a million guesses
_SEEN_INTERVAL = dt.timedelta(minutes=1)  # between two updates of `seen_at`
MAX_LOGIN_CHARS = 48  # Asterisk's log, which contains the logins of phones, cuts longer ones

_WITH_PHONE = PreparedQuery(
    lambda: User.select().where(User.active, User.extension.is_null(False)).order_by(User.login)
)
_ALL_NAMES = PreparedQuery(lambda: User.select(User.login, User.name, User.name_cyrl))

_hasher = PasswordHasher()


def create_account(
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
    """Create an account.

    `topics` are the codes of the topics whose callers ring this person, by default all. `name_cyrl`
    is derived from the name if it is empty. `must_change`: the password gives no access until the
    person has chosen their own. `password_hash` is a result of `hash_password`; callers that hold
    the write lock pass it instead of a password. Raises Refused with the code "role", "phone" or
    "speaks" for an unknown role, kind of phone or language, "login" if the login is in use or too
    long, or "extension" if the extension is in use.
    """
    password_hash = password_hash or hash_password(password)
    if role not in ROLES:
        raise Refused("role", f"no such role: {role}; one of {', '.join(ROLES)}")
    require_valid_phone(phone, role)
    if unknown_languages := set(speaks) - set(CALL_LANGUAGES):
        raise Refused("speaks", f"no such language: {', '.join(sorted(unknown_languages))}")
    if len(login) > MAX_LOGIN_CHARS:
        raise Refused("login", f"longer than {MAX_LOGIN_CHARS} characters: {login}")
    with write_transaction():
        if User.get_or_none(User.login == login):
            raise Refused("login", f"login in use: {login}")
        if extension and (
            extension in RESERVED_EXTENSIONS or User.get_or_none(User.extension == extension)
        ):
            raise Refused("extension", f"extension in use: {extension}")
        user: User = User.create(
            login=login,
            name=normalize_apostrophes(name),
            name_cyrl=" ".join(name_cyrl.split()) or cyrillic_name(name),
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
        audit.record_entry(by, "user.add", login, role=role)
        live.publish_topics(TOPIC)
    return user


def hash_password(password: str) -> str:
    """Return the hash of a password; slow, needs 64 MiB: do not call it under the write lock."""
    return _hasher.hash(password)


def cyrillic_name(name: str) -> str:
    """A name in Uzbek Cyrillic, proposed from its Latin letters."""
    return script.transliterate_for_locale(normalize_apostrophes(name), "uz_Cyrl")


def display_name(user: User, locale: str) -> str:
    """Return the name of a person as shown in this locale: Latin or Cyrillic."""
    return (user.name_cyrl if locale != "uz_Latn" else "") or user.name


def authenticate_user(login: str, password: str) -> User | None:
    """The active user with this login and password, if any."""
    user: User | None = User.get_or_none(User.login == login.strip().lower(), User.active)
    if not is_password_correct(user.password_hash if user else "", password):
        return None
    if user and _hasher.check_needs_rehash(user.password_hash):
        user.password_hash = hash_password(password)
        User.update(password_hash=user.password_hash).where(User.id == user.id).execute()
    return user


def is_password_correct(stored_hash: str, password: str) -> bool:
    """Returns True if the hash is that of the password.

    For an empty hash, the result is False, after the same time as for any other.
    """
    dummy_hash = _dummy_hash()
    try:
        return _hasher.verify(stored_hash or dummy_hash, password) and bool(stored_hash)
    except (VerifyMismatchError, InvalidHashError):
        return False


@functools.cache
def _dummy_hash() -> str:
    """Return a hash to check for an unknown login, so that it takes as long as a wrong password."""
    return _hasher.hash(secrets.token_hex())


def set_password(user: User, password: str, by: str, *, must_change: bool = False) -> None:
    """Set a new password, and end all sessions of the person.

    `must_change`: the new password gives no access until the person has chosen their own.
    """
    user.password_hash, user.must_change = hash_password(password), must_change
    with write_transaction():
        columns = {"password_hash": user.password_hash, "must_change": must_change}
        User.update(columns).where(User.id == user.id).execute()
        sessions.end_user_sessions(user)
        audit.record_entry(by, "user.password", user.login)


def require_strong_password(password: str, *personal_texts: str) -> None:
    """Raise Refused "short" or "weak" for a password that is easily guessed.

    `personal_texts`: facts that others know about the person, such as login and name.
    """
    if len(password) < MIN_PASSWORD_CHARS:
        raise Refused("short", f"a password has at least {MIN_PASSWORD_CHARS} characters")
    # Imported here because its word lists take 11 MB, and most processes check no new password.
    from zxcvbn import zxcvbn

    words = [word for text in personal_texts for word in text.split()]
    if zxcvbn(password[:_MAX_SCORED_CHARS], user_inputs=words)["score"] < _MIN_PASSWORD_SCORE:
        raise Refused("weak", "a password like this is guessed soon: take several words")


def disable_account(user: User, by: str) -> None:
    """Close an account permanently; its history is kept."""
    with write_transaction():
        User.update(active=False).where(User.id == user.id).execute()
        sessions.end_user_sessions(user)
        audit.record_entry(by, "user.disable", user.login)
        live.publish_topics(TOPIC)


def record_seen(user: User) -> None:
    """Record that a person is active, at most once a minute.

    A failure of the database is ignored, because the page can be shown nevertheless.
    """
    now = clock.now()
    if user.seen_at and abs(now - user.seen_at) < _SEEN_INTERVAL:
        return
    with contextlib.suppress(db.Error):
        User.update(seen_at=now).where(User.id == user.id).execute()


def choose_language(user: User, locale: str) -> None:
    """Store the language of the user's pages. Raises Refused for an unknown one."""
    if locale not in LOCALES:
        raise Refused("language", f"no such language: {locale}")
    User.update(language=locale).where(User.id == user.id).execute()


def choose_appearance(user: User, theme: str, large_text: bool) -> None:
    """Store the appearance of the user's pages. Raises Refused for an unknown theme."""
    if theme not in THEMES:
        raise Refused("theme", f"no such theme: {theme}")
    User.update(theme=theme, large_text=large_text).where(User.id == user.id).execute()


def require_valid_phone(phone: str, role: str) -> None:
    """Raise Refused "phone" if this role cannot have a phone of this kind."""
    if phone not in PHONE_KINDS or (phone == "page" and role != "operator"):
        raise Refused("phone", f"no phone of {role}: {phone}; one of {', '.join(PHONE_KINDS)}")


def choose_phone(user: User, phone: str, auto_answer: bool) -> None:
    """Store where an operator's phone rings, and whether the one in the page answers automatically.

    Raises Refused "phone" if the user's role cannot have a phone of this kind.
    """
    require_valid_phone(phone, user.role)
    choices: dict[str, str | bool] = {"phone": phone, "auto_answer": auto_answer}
    with write_transaction():
        before = User.get_by_id(user.id)
        changes = {name: value for name, value in choices.items() if value != getattr(before, name)}
        if not changes:
            return
        User.update(changes).where(User.id == user.id).execute()
        audit.record_entry(user.login, "user.change", user.login, **changes)
        live.publish_topics(TOPIC)


def move_phone_to_page(user: User, page: str, session: Session) -> None:
    """Move a user's phone to one of their open pages; the page that had it is notified.

    `session` is that of the page; when it ends, so does the phone (see `browser_phones`).
    """
    owner = {"phone_page": page, "phone_session": session.hash}
    with write_transaction():
        User.update(owner).where(User.id == user.id).execute()
        live.publish_topics(f"operator:{user.login}")


def users_with_phone() -> list[User]:
    """Active users who have a phone: operators, and supervisors who listen in; by login."""
    return _WITH_PHONE.fetch_objects()


def active_operators() -> list[User]:
    """Active operators with a phone, by login."""
    return list(
        User.select()
        .where(User.role == "operator", User.active, User.extension.is_null(False))
        .order_by(User.login)
    )


def operators_among(ids: Collection[str]) -> list[User]:
    """Return the operators among the accounts with these ids."""
    return list(User.select().where(User.id.in_(list(ids)), User.role == "operator"))


def find_operator(login: str) -> User | None:
    """The operator with this login, if any, even if their account is closed."""
    return find_row(User, login=login, role="operator")


def operator_names(locale: str = "uz_Latn") -> dict[str, str]:
    """Return the names of present and former operators in a locale, by login; sorted by name."""
    name_by_login = {
        user.login: display_name(user, locale)
        for user in User.select().where(User.role == "operator")
    }
    return dict(sorted(name_by_login.items(), key=lambda item: item[1]))


def ministry_users() -> list[User]:
    """Active users of the ministry, by name."""
    return list(User.select().where(User.role == "ministry", User.active).order_by(User.name))


def display_names(locale: str = "uz_Latn") -> dict[str, str]:
    """Return the names of all who have or had an account, in a locale, by login."""
    return {user.login: display_name(user, locale) for user in _ALL_NAMES.fetch_objects()}


def all_accounts() -> list[User]:
    """Every account, closed or not, by login."""
    return list(User.select().order_by(User.login))


def find_account(login: str) -> User | None:
    """The account with this login, if any, closed or not."""
    return find_row(User, login=login)


def account_by_id(user_id: int) -> User | None:
    """The account with this id, if any, closed or not."""
    return find_row(User, id=user_id)


def serves_topic(user: User, topic: str) -> bool:
    """Returns True if callers of this topic ring this person, provided they speak the language."""
    return user.topics is None or topic in user.topics.split()


def department_of(user: User) -> int | None:
    """Return the id of the department whose appeals a ministry's user sees, unless they see all."""
    member = Membership.get_or_none(Membership.user == user)
    return member.department_id if member else None


def audit_login(by: User | None) -> str:
    """Return the login that the audit records for a change by a person, or on the command line."""
    return by.login if by else "cli"
