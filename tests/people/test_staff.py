"""Which roles may change which accounts, and the effects: every pair of roles."""

import dataclasses
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from appliance.casework import departments
from appliance.core.refusals import Refused
from appliance.models import AuditEntry, LiveEvent, User
from appliance.people import accounts, presence, sessions, staff
from appliance.people.accounts import ROLES
from appliance.people.staff import StaffEntry
from tests.rig.people import LOGIN_OF_ROLE, PASSWORD

pytestmark = pytest.mark.usefixtures("settings")

# which role may assign which role, listed independently from docs/operating/accounts.md
ASSIGNABLE = {*(("manager", role) for role in ROLES), ("technician", "technician")}
ASSIGNABLE |= {("technician", "backup")}
PHONE_ONLY = {("technician", "operator"), ("technician", "supervisor")}
READERS = {"operator", "supervisor", "manager", "ministry"}  # of citizens' appeals
PAIRS = list(product(ROLES, ROLES))
NEW_ENTRY = StaffEntry("yangi", "Oʻktam Gʻaniyev", "operator", speaks=("uz",), extension="1500")


def user_of_role(role: str) -> User:
    return User.get(User.login == LOGIN_OF_ROLE[role])


def create_second_user(role: str) -> User:
    """A second user of a role, with a phone if the role has one."""
    phone: dict[str, Any] = {"extension": "1777", "speaks": ("uz",)}
    equipped = role in ("operator", "supervisor")
    return accounts.create_account(
        "boshqa", "Boshqa Odam", role, PASSWORD, **(phone if equipped else {})
    )


def error_code_of(act: Callable[..., Any], *arguments: Any) -> str:
    try:
        act(*arguments)
    except Refused as error:
        return error.code
    return ""


@pytest.mark.parametrize(("by", "role"), PAIRS)
def test_roles_are_assigned_only_as_permitted(by: str, role: str) -> None:
    entry = StaffEntry("yangi", "Yangi", role, speaks=("uz",))
    assert error_code_of(staff.add_person, entry, user_of_role(by)) == (
        "" if (by, role) in ASSIGNABLE else "rights"
    )
    assert (accounts.find_account("yangi") is not None) == ((by, role) in ASSIGNABLE)


@pytest.mark.parametrize(("by", "role"), PAIRS)
def test_accounts_are_maintained_only_as_permitted(by: str, role: str) -> None:
    keeper, person = user_of_role(by), create_second_user(role)
    expected = "" if (by, role) in ASSIGNABLE else "rights"
    for act in (
        staff.issue_password,
        staff.sign_out_person,
        staff.disable_person,
        staff.enable_person,
    ):
        assert error_code_of(act, person, keeper) == expected, act
    assert User.get_by_id(person.id).must_change == (not expected)


@pytest.mark.parametrize(("by", "role"), PAIRS)
def test_names_and_phones_are_changed_only_as_permitted(by: str, role: str) -> None:
    keeper, person = user_of_role(by), create_second_user(role)
    entry = dataclasses.replace(staff.entry_of_user(person), name="Yangi Ism", extension="1888")
    expected = "" if (by, role) in ASSIGNABLE | PHONE_ONLY else "rights"
    assert error_code_of(staff.change_person, person, entry, keeper) == expected
    now = User.get_by_id(person.id)
    assert (now.name == "Yangi Ism") == ((by, role) in ASSIGNABLE)
    equipped = role in ("operator", "supervisor") and not expected
    assert (now.extension == "1888") == equipped
    if now.extension:
        assert error_code_of(staff.issue_phone_password, person, keeper) == expected


@pytest.mark.parametrize(("was", "new_role"), PAIRS)
def test_a_technician_cannot_give_anyone_access_to_appeals(was: str, new_role: str) -> None:
    """Nor can they take over the account of someone with access."""
    technician, person = user_of_role("technician"), create_second_user(was)
    changed = dataclasses.replace(staff.entry_of_user(person), role=new_role, speaks=("uz",))
    error_code_of(staff.change_person, person, changed, technician)
    error_code_of(staff.issue_password, person, technician)
    now = User.get_by_id(person.id)
    if now.role in READERS:
        assert now.role == was
        assert now.password_hash == person.password_hash


def test_users_cannot_change_their_own_role_or_disable_themselves() -> None:
    for role in staff.INDISPENSABLE_ROLES:
        accounts.create_account(f"ikki-{role}", "Ikki", role, PASSWORD)
        user = user_of_role(role)
        changed_entry = dataclasses.replace(staff.entry_of_user(user), role="backup")
        assert error_code_of(staff.change_person, user, changed_entry, user) == "self"
        assert error_code_of(staff.disable_person, user, user) == "self"
        assert error_code_of(staff.issue_password, user, user) == "self"
        assert User.get_by_id(user.id).active


def test_the_last_technician_and_the_last_manager_cannot_be_removed() -> None:
    manager, technician = user_of_role("manager"), user_of_role("technician")
    backup = dataclasses.replace(staff.entry_of_user(technician), role="backup")
    assert error_code_of(staff.disable_person, technician, manager) == "last"
    assert error_code_of(staff.change_person, technician, backup, manager) == "last"
    second = accounts.create_account("ikkinchi", "Ikkinchi", "technician", PASSWORD)
    assert error_code_of(staff.disable_person, second, manager) == ""
    # a disabled account does not count
    assert error_code_of(staff.disable_person, technician, manager) == "last"
    staff.enable_person(second, manager)
    assert error_code_of(staff.disable_person, technician, manager) == ""


@pytest.mark.parametrize(
    ("change", "code"),
    [
        *(({"login": login}, "login") for login in ("", "Bo sh", "n" * 49, "nilufar", "-x", "аbc")),
        *(({"name": name}, "name") for name in ("", "   ", "n" * 121)),
        ({"role": "boss"}, "role"),
        *(({"extension": text}, "extension") for text in ("1001", "0000", "12", "10a1", "100000")),
        ({"speaks": ()}, "speaks"),
        ({"speaks": ("uz", "en")}, "speaks"),
        ({"role": "ministry", "department": 99}, "department"),
    ],
)
def test_an_invalid_entry_is_refused_and_nothing_is_created(
    change: dict[str, Any], code: str
) -> None:
    before = User.select().count()
    assert (
        error_code_of(
            staff.add_person, dataclasses.replace(NEW_ENTRY, **change), user_of_role("manager")
        )
        == code
    )
    assert User.select().count() == before


def test_a_new_user_receives_a_first_password_and_a_phone() -> None:
    credentials = staff.add_person(
        dataclasses.replace(NEW_ENTRY, login=" YANGI "), user_of_role("manager")
    )
    user = accounts.authenticate_user("yangi", credentials.password)
    assert user == credentials.user
    assert user.must_change
    assert user.name_cyrl == "Ўктам Ғаниев"
    assert user.sip_password == credentials.phone_password != ""
    accounts.require_strong_password(credentials.password, "yangi", NEW_ENTRY.name)
    assert {e.topic for e in LiveEvent.select()} >= {accounts.TOPIC}


def test_the_cyrillic_name_is_suggested_and_can_be_changed() -> None:
    manager = user_of_role("manager")
    person = staff.add_person(NEW_ENTRY, manager).user
    entry = staff.entry_of_user(person)
    renamed = staff.change_person(person, dataclasses.replace(entry, name="Jahon"), manager).user
    assert renamed.name_cyrl == "Жаҳон"
    cyrillic_entry = dataclasses.replace(entry, name="Elena Kim", name_cyrl="Елена  Ким")
    renamed = staff.change_person(person, cyrillic_entry, manager).user
    assert renamed.name_cyrl == "Елена Ким"
    assert (
        accounts.display_name(renamed, "ru")
        == accounts.display_name(renamed, "uz_Cyrl")
        == "Елена Ким"
    )
    assert accounts.display_name(renamed, "uz_Latn") == "Elena Kim"
    assert accounts.display_names("ru")["yangi"] == "Елена Ким"


def test_changing_the_role_ends_sessions_and_role_settings(nilufar: User) -> None:
    manager = user_of_role("manager")
    presence.choose_state(nilufar, "ready")
    sessions.begin_session(nilufar, "10.0.0.5")
    entry = dataclasses.replace(staff.entry_of_user(nilufar), role="backup")
    changed = staff.change_person(nilufar, entry, manager).user
    assert sessions.user_sessions(nilufar) == []
    assert (changed.extension, changed.sip_password) == (None, None)
    assert presence.state_of(nilufar).state == "off"
    labour = departments.add_department({"name_uz_latn": "Bandlik"}, own_body=False, actor="x")
    bahodir = user_of_role("ministry")
    staff.change_person(
        bahodir, dataclasses.replace(staff.entry_of_user(bahodir), department=labour.id), manager
    )
    assert accounts.department_of(bahodir) == labour.id
    staff.change_person(
        bahodir, dataclasses.replace(staff.entry_of_user(bahodir), role="backup"), manager
    )
    assert accounts.department_of(bahodir) is None


def test_changing_name_or_language_keeps_the_sessions(nilufar: User) -> None:
    sessions.begin_session(nilufar, "10.0.0.5")
    entry = dataclasses.replace(
        staff.entry_of_user(nilufar), name="Nilufar Umarova", speaks=("ru",)
    )
    result = staff.change_person(nilufar, entry, user_of_role("manager"))
    assert len(sessions.user_sessions(nilufar)) == 1
    assert result.phone_password == ""
    assert result.user.sip_password == nilufar.sip_password


def test_a_new_extension_gets_a_new_phone_password(nilufar: User) -> None:
    entry = dataclasses.replace(staff.entry_of_user(nilufar), extension="1999")
    result = staff.change_person(nilufar, entry, user_of_role("technician"))
    assert result.phone_password == result.user.sip_password != nilufar.sip_password


def test_only_an_operator_has_a_page_phone(nilufar: User) -> None:
    entry = dataclasses.replace(staff.entry_of_user(nilufar), phone="page")
    assert staff.change_person(nilufar, entry, None).user.phone == "page"
    supervisor = dataclasses.replace(staff.entry_of_user(nilufar), role="supervisor")
    assert staff.change_person(nilufar, supervisor, None).user.phone == "desk"
    with pytest.raises(Refused, match="no phone of operator: pocket"):
        staff.add_person(dataclasses.replace(NEW_ENTRY, phone="pocket"), None)
    with pytest.raises(Refused, match="no phone of manager"):
        accounts.choose_phone(User(role="manager"), "page", auto_answer=False)


def test_choosing_a_phone_is_audited_once(nilufar: User) -> None:
    for _ in range(2):
        accounts.choose_phone(nilufar, "page", auto_answer=True)
    details = [e.detail for e in AuditEntry.select().where(AuditEntry.action == "user.change")]
    assert details == [{"auto_answer": True, "phone": "page"}]


def test_a_reenabled_user_starts_in_state_off(nilufar: User) -> None:
    manager = user_of_role("manager")
    presence.choose_state(nilufar, "ready")
    staff.disable_person(nilufar, manager)
    assert accounts.authenticate_user(nilufar.login, PASSWORD) is None
    staff.enable_person(nilufar, manager)
    assert accounts.authenticate_user(nilufar.login, PASSWORD)
    assert presence.states_by_login()[nilufar.login] == "off"


def test_the_command_line_may_do_everything() -> None:
    technician = user_of_role("technician")
    assert (
        staff.add_person(dataclasses.replace(NEW_ENTRY, role="ministry"), None).user.role
        == "ministry"
    )
    staff.disable_person(technician, None)
    assert not User.get_by_id(technician.id).active


def test_every_change_is_audited_without_passwords(nilufar: User) -> None:
    manager = user_of_role("manager")
    before = AuditEntry.select().count()
    secrets = [staff.add_person(NEW_ENTRY, manager)]
    new_entry = dataclasses.replace(staff.entry_of_user(nilufar), topics=(), extension="1999")
    secrets.append(staff.change_person(nilufar, new_entry, manager))
    secrets += [act(nilufar, manager) for act in (staff.issue_password, staff.issue_phone_password)]
    for act in (staff.sign_out_person, staff.disable_person, staff.enable_person):
        act(nilufar, manager)
    entries = list(AuditEntry.select().order_by(AuditEntry.id).offset(before))
    assert [entry.action for entry in entries] == [
        *("user.add", "user.change", "user.password", "user.phone", "user.sign_out"),
        *("user.disable", "user.enable"),
    ]
    assert {entry.who for entry in entries} == {manager.login}
    assert entries[1].detail == {"extension": "1999", "topics": ""}
    details = " ".join(str(entry.detail) for entry in entries)
    assert not any(
        text in details for g in secrets for text in (g.password, g.phone_password) if text
    )


def test_the_table_in_the_documentation_matches_the_permissions() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operating" / "accounts.md").read_text("utf-8")
    part = text.split("## Who may give which role")[1]
    head, _rule, *rows = re.findall(r"^\|(.+)\|$", part, re.MULTILINE)[:4]
    roles = [cell.strip() for cell in head.split("|")[1:]]
    assert sorted(roles) == sorted(ROLES)
    cells_by_pair = {}
    for row in rows:
        who, *cells = (cell.strip() for cell in row.split("|"))
        by = who.removeprefix("the ")
        cells_by_pair |= {(by, role): cell for role, cell in zip(roles, cells, strict=True)}
    assert {pair for pair, cell in cells_by_pair.items() if cell == "all"} == ASSIGNABLE
    assert {pair for pair, cell in cells_by_pair.items() if cell == "phone"} == PHONE_ONLY
