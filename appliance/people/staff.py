"""Management of the staff: who may change whose account, and the effects on sessions and phones.

In all functions `by` is the person who makes the change, missing on the command line of the
machine, which has every right. docs/operating/accounts.md, "Who may give which role", lists the
roles that each role may assign.

To manage an account means to change it, close it and set its password. To equip a person means to
change only their phone, languages and topics.
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.core import audit, live
from appliance.core.db import write_transaction
from appliance.core.i18n import normalize_apostrophes
from appliance.core.refusals import Refused
from appliance.core.settings import ROLES
from appliance.models import Department, Membership, User
from appliance.people import accounts, presence, second_factor, sessions
from appliance.people.accounts import CALL_LANGUAGES, MAX_LOGIN_CHARS, RESERVED_EXTENSIONS

# Operators look up appeals; supervisors, managers and the ministry read them all. Someone who may
# assign one of these roles could thus get access to appeals, so only managers may: they have it.
ASSIGNABLE_ROLES = {"manager": frozenset(ROLES), "technician": frozenset({"technician", "backup"})}
EQUIPPING_ROLES = frozenset({"manager", "technician"})  # may change phones, languages and topics
EQUIPPED_ROLES = frozenset({"operator", "supervisor"})  # have these; nobody else has a phone
INDISPENSABLE_ROLES = frozenset({"manager", "technician"})  # one person of each must remain
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_EXTENSION = re.compile(r"[1-9]\d{3,4}", re.ASCII)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # no two of them look alike
_MAX_NAME_CHARS = 120


@dataclass(frozen=True)
class StaffEntry:
    """The data of a person; texts as they were entered.

    `topics` are the codes of the topics whose callers ring this person, by default all.
    `department` is the id of the department whose appeals a person of the ministry sees, by default
    all.
    """

    login: str
    name: str
    role: str
    name_cyrl: str = ""
    speaks: tuple[str, ...] = ()
    topics: tuple[str, ...] | None = None
    extension: str = ""
    phone: str = "desk"
    department: int | None = None


@dataclass(frozen=True)
class IssuedCredentials:
    """A person with new passwords, which are shown once; "" if a password was not issued."""

    user: User
    password: str = ""
    phone_password: str = ""


def can_manage(by: User | None, user: User) -> bool:
    """Returns True if `by` may change this account, close it and give it a password."""
    return by is None or user.role in ASSIGNABLE_ROLES.get(by.role, ())


def can_equip(by: User | None, user: User) -> bool:
    """Returns True if `by` may change the phone, the languages and the topics of this person."""
    return can_manage(by, user) or (
        by is not None and by.role in EQUIPPING_ROLES and user.role in EQUIPPED_ROLES
    )


def entry_of_user(user: User) -> StaffEntry:
    """The stored data of a person."""
    return StaffEntry(
        login=user.login,
        name=user.name,
        role=user.role,
        name_cyrl=user.name_cyrl or accounts.cyrillic_name(user.name),
        speaks=tuple(user.speaks.split()),
        topics=None if user.topics is None else tuple(user.topics.split()),
        extension=user.extension or "",
        phone=user.phone,
        department=accounts.department_of(user),
    )


def add_person(new_entry: StaffEntry, by: User | None) -> IssuedCredentials:
    """Create an account with a first password, which the person has to change.

    Raises Refused as `validate_entry` does.
    """
    return add_people([new_entry], by)[0]


def add_people(entries: Sequence[StaffEntry], by: User | None) -> list[IssuedCredentials]:
    """Create accounts as `add_person` does; if one is refused, no account is created."""
    passwords = [_readable_password() for _ in entries]
    hashes = [accounts.hash_password(password) for password in passwords]
    with write_transaction():
        users = [
            _create_person(normalise_entry(new_entry), password_hash, by)
            for new_entry, password_hash in zip(entries, hashes, strict=True)
        ]
    return [
        IssuedCredentials(user, first_password, user.sip_password or "")
        for user, first_password in zip(users, passwords, strict=True)
    ]


def change_person(user: User, new_entry: StaffEntry, by: User | None) -> IssuedCredentials:
    """Change an account; a new role ends its sessions, a new extension gets a new phone password.

    If `by` may only equip the person, all changes except phone, languages and topics are ignored.
    Raises Refused as `validate_entry` does, and for a change of the role with the code "self" if
    the account is that of `by`, or "last" if nobody else has this indispensable role.
    """
    new_entry = normalise_entry(new_entry)
    with write_transaction():
        user, before = User.get_by_id(user.id), entry_of_user(user)
        if not can_manage(by, user):
            unchanged = {
                name: getattr(before, name) for name in ("name", "name_cyrl", "department")
            }
            new_entry = StaffEntry(
                login=user.login,
                role=user.role,
                speaks=new_entry.speaks,
                topics=new_entry.topics,
                extension=new_entry.extension,
                phone=new_entry.phone,
                **unchanged,
            )
        validate_entry(new_entry, by, user)
        columns = _changed_columns(new_entry, user)
        if "role" in columns:
            _require_replaceable(user, by)
        if columns:
            User.update(columns).where(User.id == user.id).execute()
        if new_entry.department != before.department:
            assign_department(user, new_entry.department, accounts.audit_login(by))
        if "role" in columns:
            sessions.end_user_sessions(user)
        audited = {name: text for name, text in columns.items() if name != "sip_password"}
        if audited:
            audit.record_entry(accounts.audit_login(by), "user.change", user.login, **audited)
        updated = User.get_by_id(user.id)
        if user.role == "operator" and (updated.role != "operator" or not updated.extension):
            _set_off(user, by)
        live.publish_topics(accounts.TOPIC)
    return IssuedCredentials(updated, phone_password=columns.get("sip_password") or "")


def validate_entry(new_entry: StaffEntry, by: User | None, user: User | None = None) -> None:
    """Raise Refused if `by` cannot create this account, or change `user` in this way.

    The code is "rights", or the name of the field that is invalid, unknown or in use: "login",
    "name", "role", "speaks", "extension", "phone", "department".
    """
    if not _LOGIN.fullmatch(new_entry.login) or len(new_entry.login) > MAX_LOGIN_CHARS:
        raise Refused("login", f"small letters, digits, . _ - only: {new_entry.login}")
    if not user and accounts.find_account(new_entry.login):
        raise Refused("login", f"login in use: {new_entry.login}")
    if not 0 < len(new_entry.name) <= _MAX_NAME_CHARS or len(new_entry.name_cyrl) > _MAX_NAME_CHARS:
        raise Refused("name", "a name is needed")
    if new_entry.role not in ROLES:
        raise Refused("role", f"no such role: {new_entry.role}; one of {', '.join(ROLES)}")
    if user and not can_equip(by, user):
        raise Refused("rights", f"may not change {user.login}")
    if (
        by
        and new_entry.role not in ASSIGNABLE_ROLES.get(by.role, ())
        and not (user and user.role == new_entry.role)
    ):
        raise Refused("rights", f"may not give the role {new_entry.role}")
    if set(new_entry.speaks) - set(CALL_LANGUAGES) or (
        new_entry.role == "operator" and not new_entry.speaks
    ):
        raise Refused("speaks", f"languages of calls: {', '.join(CALL_LANGUAGES)}")
    _require_valid_extension(new_entry, user)
    accounts.require_valid_phone(new_entry.phone, new_entry.role)
    if new_entry.department and not Department.get_or_none(Department.id == new_entry.department):
        raise Refused("department", f"no such department: {new_entry.department}")


def issue_password(user: User, by: User | None) -> IssuedCredentials:
    """Issue a new first password, which ends every session of the person.

    Raises Refused "rights" if `by` may not manage the account, or "self" if it is their own.
    """
    _require_manageable(user, by)
    if by and by.id == user.id:
        raise Refused("self", "one's own password is changed on the page Account")
    password = _readable_password()
    accounts.set_password(user, password, by=accounts.audit_login(by), must_change=True)
    return IssuedCredentials(user, password)


def issue_phone_password(user: User, by: User | None) -> IssuedCredentials:
    """Issue a new password of a person's phone.

    Raises Refused "rights" if `by` may not equip the person, or "extension" if there is no phone.
    """
    if not can_equip(by, user):
        raise Refused("rights", f"may not change {user.login}")
    if not user.extension:
        raise Refused("extension", f"has no phone: {user.login}")
    password = secrets.token_urlsafe(18)
    with write_transaction():
        columns = {"sip_password": password}
        if user.phone == "page":  # the page fetches the new password automatically
            columns["page_password"] = secrets.token_urlsafe(18)
        User.update(columns).where(User.id == user.id).execute()
        audit.record_entry(accounts.audit_login(by), "user.phone", user.login)
        live.publish_topics(accounts.TOPIC)
    return IssuedCredentials(user, phone_password=password)


def disable_person(user: User, by: User | None) -> None:
    """Close an account.

    Raises Refused "rights" if `by` may not manage it, "self" if it is their own, or "last" if
    nobody else has this indispensable role.
    """
    with write_transaction():
        user = User.get_by_id(user.id)
        _require_manageable(user, by)
        _require_replaceable(user, by)
        accounts.disable_account(user, accounts.audit_login(by))
        if user.role == "operator":
            _set_off(user, by)


def enable_person(user: User, by: User | None) -> None:
    """Reopen a closed account, whose former password is valid again.

    Raises Refused "rights" if `by` may not manage it.
    """
    _require_manageable(user, by)
    with write_transaction():
        User.update(active=True).where(User.id == user.id).execute()
        audit.record_entry(accounts.audit_login(by), "user.enable", user.login)
        live.publish_topics(accounts.TOPIC)


def sign_out_person(user: User, by: User | None) -> None:
    """End every session of a person. Raises Refused "rights" if `by` may not manage the account."""
    _require_manageable(user, by)
    with write_transaction():
        sessions.end_user_sessions(user)
        audit.record_entry(accounts.audit_login(by), "user.sign_out", user.login)


def remove_second_factor(user: User, by: User | None) -> None:
    """Remove a person's second factors and end their sessions; they can then set up new ones.

    As this gives `by` no access (the password remains), all EQUIPPING_ROLES may do it for anyone.
    Raises Refused "rights" for another role, or "self" if the account is their own.
    """
    if by and by.role not in EQUIPPING_ROLES:
        raise Refused("rights", f"may not change {user.login}")
    if by and by.id == user.id:
        raise Refused("self", "one's own is changed on the page Account")
    with write_transaction():
        second_factor.remove_factors(user, accounts.audit_login(by))
        sessions.end_user_sessions(user)


def assign_department(user: User, department: int | None, by: str) -> None:
    """Let a ministry's user see the appeals of one department, or without it of all."""
    with write_transaction():
        Membership.delete().where(Membership.user == user).execute()
        if department:
            Membership.create(user=user, department=department)
        audit.record_entry(by, "department.member", user.login, department=department)


def _create_person(new_entry: StaffEntry, password_hash: str, by: User | None) -> User:
    """Create one account, and assign its department."""
    validate_entry(new_entry, by)
    user = accounts.create_account(
        new_entry.login,
        new_entry.name,
        new_entry.role,
        "",
        password_hash=password_hash,
        extension=new_entry.extension or None,
        speaks=new_entry.speaks,
        topics=new_entry.topics,
        name_cyrl=new_entry.name_cyrl,
        must_change=True,
        phone=new_entry.phone,
        by=accounts.audit_login(by),
    )
    if new_entry.department:
        assign_department(user, new_entry.department, accounts.audit_login(by))
    return user


def normalise_entry(new_entry: StaffEntry) -> StaffEntry:
    """Return an entry with normalised texts, and without data that its role cannot have."""
    is_equipped = new_entry.role in EQUIPPED_ROLES
    return StaffEntry(
        login=new_entry.login.strip().lower(),
        name=normalize_apostrophes(new_entry.name),
        role=new_entry.role,
        name_cyrl=" ".join(new_entry.name_cyrl.split()),
        speaks=tuple(dict.fromkeys(sorted(new_entry.speaks, reverse=True))),  # "uz ru"
        topics=None if new_entry.topics is None else tuple(sorted(set(new_entry.topics))),
        extension=new_entry.extension.strip() if is_equipped else "",
        phone=new_entry.phone if new_entry.role == "operator" else "desk",
        department=new_entry.department if new_entry.role == "ministry" else None,
    )


def _changed_columns(new_entry: StaffEntry, user: User) -> dict[str, str | None]:
    """Return the new values of the columns that change, by name."""
    name_cyrl = new_entry.name_cyrl
    if new_entry.name != user.name and name_cyrl in (
        user.name_cyrl,
        accounts.cyrillic_name(user.name),
    ):
        name_cyrl = ""  # not entered by a person, but derived from the former name
    new_values: dict[str, str | None] = {
        "name": new_entry.name,
        "name_cyrl": name_cyrl or accounts.cyrillic_name(new_entry.name),
        "role": new_entry.role,
        "speaks": " ".join(new_entry.speaks),
        "topics": None if new_entry.topics is None else " ".join(new_entry.topics),
        "extension": new_entry.extension or None,
        "phone": new_entry.phone,
    }
    changes = {name: value for name, value in new_values.items() if value != getattr(user, name)}
    if "extension" in changes:
        changes["sip_password"] = secrets.token_urlsafe(18) if changes["extension"] else None
    return changes


def _require_valid_extension(new_entry: StaffEntry, user: User | None) -> None:
    """Raise Refused "extension" for a new extension that is invalid or in use."""
    extension = new_entry.extension
    if not extension or (user and extension == user.extension):
        return
    same_extension = User.select().where(User.extension == extension)
    if (
        not _EXTENSION.fullmatch(extension)
        or extension in RESERVED_EXTENSIONS
        or same_extension.exists()
    ):
        raise Refused("extension", f"four or five digits that no other phone has: {extension}")


def _require_manageable(user: User, by: User | None) -> None:
    """Raise Refused "rights" if `by` may not manage this account."""
    if not can_manage(by, user):
        raise Refused("rights", f"may not change {user.login}")


def _require_replaceable(user: User, by: User | None) -> None:
    """Raise Refused if the person's account or role must not be taken away.

    The code is "self" if the account is that of `by`, or "last" if nobody else has this
    indispensable role. The command line may do both.
    """
    if by is None:
        return
    if by.id == user.id:
        raise Refused("self", "nobody does so to himself")
    colleagues = User.select().where(User.role == user.role, User.active, User.id != user.id)
    if user.active and user.role in INDISPENSABLE_ROLES and not colleagues.exists():
        raise Refused("last", f"the last {user.role}")


def _set_off(user: User, by: User | None) -> None:
    """Set the state of an operator who takes no more calls to "off"."""
    state = presence.state_of(user)
    if state and state.state != "off":
        presence.choose_state(user, "off", by=accounts.audit_login(by))


def _readable_password() -> str:
    """A password that is easy to read out and type: three groups of four."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
