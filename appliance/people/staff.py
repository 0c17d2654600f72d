"""The staff as its keepers change it: who may do what, and what becomes of sessions and phones.

`by` is whoever changes it, None for the command line of the machine, which may everything. Who may
give which role stands in docs/operating.md, "Who may give which role".
"""

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass

from appliance.core import audit, live
from appliance.core.db import writing
from appliance.core.i18n import spelt
from appliance.models import Department, Membership, User
from appliance.people import accounts, presence, second_factor, sessions
from appliance.people.accounts import CALL_LANGUAGES, LONGEST_LOGIN, ROLES, TAKEN, StaffError

# Operators look up appeals, supervisors, managers and the ministry read them all: who gives one of
# these roles could make himself a reader of appeals, so only a manager does, who is one already.
GIVES = {"manager": frozenset(ROLES), "technician": frozenset({"technician", "backup"})}
EQUIPS = frozenset({"manager", "technician"})  # they change phones, languages and topics
EQUIPPED = frozenset({"operator", "supervisor"})  # of these; nobody else has a phone
STAYS = frozenset({"manager", "technician"})  # the last one can neither be closed nor become else
_LOGIN = re.compile(r"[a-z0-9][a-z0-9._-]*")
_EXTENSION = re.compile(r"[1-9]\d{3,4}", re.ASCII)
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none is taken for another
_LONGEST_NAME = 120


@dataclass(frozen=True)
class Entry:
    """What is written down of a person; texts as they were typed.

    `topics`: codes whose callers ring him, None for every one. `department`: of the ministry's
    people, whose appeals they see; None for all.
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
class Given:
    """Whom it concerns, and what is shown once: a password, a phone's password; "" for none."""

    user: User
    password: str = ""
    phone_password: str = ""


def may_keep(by: User | None, user: User) -> bool:
    """Whether he may change this account, close it and give it a password."""
    return by is None or user.role in GIVES.get(by.role, ())


def may_equip(by: User | None, user: User) -> bool:
    """Whether he may change the phone, the languages and the topics of this person."""
    return may_keep(by, user) or (by is not None and by.role in EQUIPS and user.role in EQUIPPED)


def entry(user: User) -> Entry:
    """What is written down of a person."""
    return Entry(
        login=user.login,
        name=user.name,
        role=user.role,
        name_cyrl=user.name_cyrl or accounts.in_cyrillic(user.name),
        speaks=tuple(user.speaks.split()),
        topics=None if user.topics is None else tuple(user.topics.split()),
        extension=user.extension or "",
        phone=user.phone,
        department=accounts.department_of(user),
    )


def add(wanted: Entry, by: User | None) -> Given:
    """Make an account with a first password, which the person has to change.

    Raises StaffError: "login", "name", "role", "rights", "speaks", "extension", "department".
    """
    return add_all([wanted], by)[0]


def add_all(wanted: Sequence[Entry], by: User | None) -> list[Given]:
    """Make accounts, all of them or none; see `add`."""
    passwords = [_password() for _ in wanted]
    hashes = [accounts.hashed(password) for password in passwords]
    with writing():
        made = [_add(cleaned(e), h, by) for e, h in zip(wanted, hashes, strict=True)]
    return [Given(u, p, u.sip_password or "") for u, p in zip(made, passwords, strict=True)]


def change(user: User, wanted: Entry, by: User | None) -> Given:
    """Change an account; another role ends its sessions, another extension has a new password.

    Who may only equip changes phone, languages and topics, whatever else the entry holds. Raises
    StaffError as `add`, and "self" and "last" for a role that must stay.
    """
    wanted = cleaned(wanted)
    with writing():
        user, before = User.get_by_id(user.id), entry(user)
        if not may_keep(by, user):
            kept = {name: getattr(before, name) for name in ("name", "name_cyrl", "department")}
            wanted = Entry(
                login=user.login,
                role=user.role,
                speaks=wanted.speaks,
                topics=wanted.topics,
                extension=wanted.extension,
                phone=wanted.phone,
                **kept,
            )
        prove(wanted, by, user)
        columns = _columns(wanted, user)
        if "role" in columns:
            _prove_replaceable(user, by)
        if columns:
            User.update(columns).where(User.id == user.id).execute()
        if wanted.department != before.department:
            assign(user, wanted.department, accounts.login_of(by))
        if "role" in columns:
            sessions.end_all(user)
        told = {name: text for name, text in columns.items() if name != "sip_password"}
        if told:
            audit.record(accounts.login_of(by), "user.change", user.login, **told)
        changed = User.get_by_id(user.id)
        if user.role == "operator" and (changed.role != "operator" or not changed.extension):
            _go_off(user, by)
        live.publish(accounts.TOPIC)
    return Given(changed, phone_password=columns.get("sip_password") or "")


def prove(wanted: Entry, by: User | None, user: User | None = None) -> None:
    """Raise StaffError when an account cannot be made, or `user` changed, so by him."""
    if not _LOGIN.fullmatch(wanted.login) or len(wanted.login) > LONGEST_LOGIN:
        raise StaffError("login", f"small letters, digits, . _ - only: {wanted.login}")
    if not user and accounts.account(wanted.login):
        raise StaffError("login", f"login in use: {wanted.login}")
    if not 0 < len(wanted.name) <= _LONGEST_NAME or len(wanted.name_cyrl) > _LONGEST_NAME:
        raise StaffError("name", "a name is needed")
    if wanted.role not in ROLES:
        raise StaffError("role", f"no such role: {wanted.role}; one of {', '.join(ROLES)}")
    if user and not may_equip(by, user):
        raise StaffError("rights", f"may not change {user.login}")
    if by and wanted.role not in GIVES.get(by.role, ()) and not (user and user.role == wanted.role):
        raise StaffError("rights", f"may not give the role {wanted.role}")
    if set(wanted.speaks) - set(CALL_LANGUAGES) or (
        wanted.role == "operator" and not wanted.speaks
    ):
        raise StaffError("speaks", f"languages of calls: {', '.join(CALL_LANGUAGES)}")
    _prove_extension(wanted, user)
    accounts.prove_phone(wanted.phone, wanted.role)
    if wanted.department and not Department.get_or_none(Department.id == wanted.department):
        raise StaffError("department", f"no such department: {wanted.department}")


def give_password(user: User, by: User | None) -> Given:
    """Give a new first password; it ends every session. Raises StaffError "rights", "self"."""
    _prove_kept(user, by)
    if by and by.id == user.id:
        raise StaffError("self", "one's own password is changed on the page Account")
    password = _password()
    accounts.set_password(user, password, by=accounts.login_of(by), must_change=True)
    return Given(user, password)


def give_phone_password(user: User, by: User | None) -> Given:
    """A new password of the person's phone. Raises StaffError "rights", "extension" (has none)."""
    if not may_equip(by, user):
        raise StaffError("rights", f"may not change {user.login}")
    if not user.extension:
        raise StaffError("extension", f"has no phone: {user.login}")
    password = secrets.token_urlsafe(18)
    with writing():
        new = {"sip_password": password}
        if user.phone == "page":  # its page fetches the new one by itself
            new["page_password"] = secrets.token_urlsafe(18)
        User.update(new).where(User.id == user.id).execute()
        audit.record(accounts.login_of(by), "user.phone", user.login)
        live.publish(accounts.TOPIC)
    return Given(user, phone_password=password)


def disable(user: User, by: User | None) -> None:
    """Close an account. Raises StaffError "rights", "self", "last"."""
    with writing():
        user = User.get_by_id(user.id)
        _prove_kept(user, by)
        _prove_replaceable(user, by)
        accounts.disable(user, accounts.login_of(by))
        if user.role == "operator":
            _go_off(user, by)


def enable(user: User, by: User | None) -> None:
    """Open a closed account again, with the password it had. Raises StaffError "rights"."""
    _prove_kept(user, by)
    with writing():
        User.update(active=True).where(User.id == user.id).execute()
        audit.record(accounts.login_of(by), "user.enable", user.login)
        live.publish(accounts.TOPIC)


def sign_out(user: User, by: User | None) -> None:
    """End every session of a person. Raises StaffError "rights"."""
    _prove_kept(user, by)
    with writing():
        sessions.end_all(user)
        audit.record(accounts.login_of(by), "user.sign_out", user.login)


def forget_second_factor(user: User, by: User | None) -> None:
    """Forget the person's app and paper, and sign him out: he sets up anew where it is asked for.

    It opens nothing to who does it, for the password stays: the technician does so for everybody.
    Raises StaffError "rights", "self".
    """
    if by and by.role not in EQUIPS:
        raise StaffError("rights", f"may not change {user.login}")
    if by and by.id == user.id:
        raise StaffError("self", "one's own is changed on the page Account")
    with writing():
        second_factor.remove(user, accounts.login_of(by))
        sessions.end_all(user)


def assign(user: User, department: int | None, by: str) -> None:
    """Let a ministry's user see one department's appeals; None: all of them."""
    with writing():
        Membership.delete().where(Membership.user == user).execute()
        if department:
            Membership.create(user=user, department=department)
        audit.record(by, "department.member", user.login, department=department)


def _add(wanted: Entry, password_hash: str, by: User | None) -> User:
    prove(wanted, by)
    user = accounts.add(
        wanted.login,
        wanted.name,
        wanted.role,
        "",
        password_hash=password_hash,
        extension=wanted.extension or None,
        speaks=wanted.speaks,
        topics=wanted.topics,
        name_cyrl=wanted.name_cyrl,
        must_change=True,
        phone=wanted.phone,
        by=accounts.login_of(by),
    )
    if wanted.department:
        assign(user, wanted.department, accounts.login_of(by))
    return user


def cleaned(wanted: Entry) -> Entry:
    """An entry as it is kept: texts spelt, what its role does not have left out."""
    equipped = wanted.role in EQUIPPED
    return Entry(
        login=wanted.login.strip().lower(),
        name=spelt(wanted.name),
        role=wanted.role,
        name_cyrl=" ".join(wanted.name_cyrl.split()),
        speaks=tuple(dict.fromkeys(sorted(wanted.speaks, reverse=True))),  # "uz ru"
        topics=None if wanted.topics is None else tuple(sorted(set(wanted.topics))),
        extension=wanted.extension.strip() if equipped else "",
        phone=wanted.phone if wanted.role == "operator" else "desk",
        department=wanted.department if wanted.role == "ministry" else None,
    )


def _columns(wanted: Entry, user: User) -> dict[str, str | None]:
    """Column → new value, of what changes."""
    cyrl = wanted.name_cyrl
    if wanted.name != user.name and cyrl in (user.name_cyrl, accounts.in_cyrillic(user.name)):
        cyrl = ""  # the proposal for the former name
    new: dict[str, str | None] = {
        "name": wanted.name,
        "name_cyrl": cyrl or accounts.in_cyrillic(wanted.name),
        "role": wanted.role,
        "speaks": " ".join(wanted.speaks),
        "topics": None if wanted.topics is None else " ".join(wanted.topics),
        "extension": wanted.extension or None,
        "phone": wanted.phone,
    }
    changed = {name: value for name, value in new.items() if value != getattr(user, name)}
    if "extension" in changed:
        changed["sip_password"] = secrets.token_urlsafe(18) if changed["extension"] else None
    return changed


def _prove_extension(wanted: Entry, user: User | None) -> None:
    extension = wanted.extension
    if not extension or (user and extension == user.extension):
        return
    others = User.select().where(User.extension == extension)
    if not _EXTENSION.fullmatch(extension) or extension in TAKEN or others.exists():
        raise StaffError("extension", f"four or five digits that no other phone has: {extension}")


def _prove_kept(user: User, by: User | None) -> None:
    if not may_keep(by, user):
        raise StaffError("rights", f"may not change {user.login}")


def _prove_replaceable(user: User, by: User | None) -> None:
    """Nobody ends his own right, and of those who keep the others one stays."""
    if by is None:
        return
    if by.id == user.id:
        raise StaffError("self", "nobody does so to himself")
    others = User.select().where(User.role == user.role, User.active, User.id != user.id)
    if user.active and user.role in STAYS and not others.exists():
        raise StaffError("last", f"the last {user.role}")


def _go_off(user: User, by: User | None) -> None:
    """An operator who takes no more calls is off, also when he comes back."""
    state = presence.state_of(user)
    if state and state.state != "off":
        presence.choose_state(user, "off", by=accounts.login_of(by))


def _password() -> str:
    """A password that can be read out and typed: three groups of four."""
    return "-".join("".join(secrets.choice(_LETTERS) for _ in range(4)) for _ in range(3))
