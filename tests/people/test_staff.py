"""Who may change whose account, and what follows: every pair of roles."""

import dataclasses
import re
from collections.abc import Callable
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from appliance.casework import departments
from appliance.models import AuditEntry, LiveEvent, User
from appliance.people import accounts, presence, sessions, staff
from appliance.people.accounts import ROLES, StaffError
from appliance.people.staff import Entry
from tests.rig.people import OF_ROLE, PASSWORD

pytestmark = pytest.mark.usefixtures("settings")

# who may give which role, written down anew from docs/operating.md
GIVE = {*(("manager", role) for role in ROLES), ("technician", "technician")}
GIVE |= {("technician", "backup")}
EQUIP = {("technician", "operator"), ("technician", "supervisor")}
READERS = {"operator", "supervisor", "manager", "ministry"}  # of citizens' appeals
PAIRS = list(product(ROLES, ROLES))
NEW = Entry("yangi", "Oʻktam Gʻaniyev", "operator", speaks=("uz",), extension="1500")


def of(role: str) -> User:
    return User.get(User.login == OF_ROLE[role])


def another(role: str) -> User:
    """A second person of a role, with a phone where the role has one."""
    phone: dict[str, Any] = {"extension": "1777", "speaks": ("uz",)}
    equipped = role in ("operator", "supervisor")
    return accounts.add("boshqa", "Boshqa Odam", role, PASSWORD, **(phone if equipped else {}))


def code_of(act: Callable[..., Any], *given: Any) -> str:
    try:
        act(*given)
    except StaffError as error:
        return error.code
    return ""


@pytest.mark.parametrize(("by", "role"), PAIRS)
def test_who_may_give_which_role(by: str, role: str) -> None:
    wanted = Entry("yangi", "Yangi", role, speaks=("uz",))
    assert code_of(staff.add, wanted, of(by)) == ("" if (by, role) in GIVE else "rights")
    assert (accounts.account("yangi") is not None) == ((by, role) in GIVE)


@pytest.mark.parametrize(("by", "role"), PAIRS)
def test_who_may_keep_whose_account(by: str, role: str) -> None:
    keeper, person = of(by), another(role)
    expected = "" if (by, role) in GIVE else "rights"
    for act in (staff.give_password, staff.sign_out, staff.disable, staff.enable):
        assert code_of(act, person, keeper) == expected, act
    assert User.get_by_id(person.id).must_change == (not expected)


@pytest.mark.parametrize(("by", "role"), PAIRS)
def test_who_may_change_whose_name_and_phone(by: str, role: str) -> None:
    keeper, person = of(by), another(role)
    wanted = dataclasses.replace(staff.entry(person), name="Yangi Ism", extension="1888")
    expected = "" if (by, role) in GIVE | EQUIP else "rights"
    assert code_of(staff.change, person, wanted, keeper) == expected
    now = User.get_by_id(person.id)
    assert (now.name == "Yangi Ism") == ((by, role) in GIVE)
    equipped = role in ("operator", "supervisor") and not expected
    assert (now.extension == "1888") == equipped
    if now.extension:
        assert code_of(staff.give_phone_password, person, keeper) == expected


@pytest.mark.parametrize(("was", "wanted"), PAIRS)
def test_a_technician_makes_nobody_a_reader_of_appeals(was: str, wanted: str) -> None:
    """Nor does he take up the account of one."""
    technician, person = of("technician"), another(was)
    changed = dataclasses.replace(staff.entry(person), role=wanted, speaks=("uz",))
    code_of(staff.change, person, changed, technician)
    code_of(staff.give_password, person, technician)
    now = User.get_by_id(person.id)
    if now.role in READERS:
        assert now.role == was
        assert now.password_hash == person.password_hash


def test_nobody_changes_his_own_role_or_closes_himself() -> None:
    for role in staff.STAYS:
        accounts.add(f"ikki-{role}", "Ikki", role, PASSWORD)
        me = of(role)
        other = dataclasses.replace(staff.entry(me), role="backup")
        assert code_of(staff.change, me, other, me) == "self"
        assert code_of(staff.disable, me, me) == "self"
        assert code_of(staff.give_password, me, me) == "self"
        assert User.get_by_id(me.id).active


def test_the_last_technician_and_the_last_manager_stay() -> None:
    manager, technician = of("manager"), of("technician")
    backup = dataclasses.replace(staff.entry(technician), role="backup")
    assert code_of(staff.disable, technician, manager) == "last"
    assert code_of(staff.change, technician, backup, manager) == "last"
    second = accounts.add("ikkinchi", "Ikkinchi", "technician", PASSWORD)
    assert code_of(staff.disable, second, manager) == ""
    assert code_of(staff.disable, technician, manager) == "last"  # a closed one keeps nothing
    staff.enable(second, manager)
    assert code_of(staff.disable, technician, manager) == ""


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
def test_what_cannot_be_is_named_and_nothing_is_made(change: dict[str, Any], code: str) -> None:
    before = User.select().count()
    assert code_of(staff.add, dataclasses.replace(NEW, **change), of("manager")) == code
    assert User.select().count() == before


def test_a_new_person_has_a_first_password_and_a_phone() -> None:
    given = staff.add(dataclasses.replace(NEW, login=" YANGI "), of("manager"))
    user = accounts.authenticate("yangi", given.password)
    assert user == given.user
    assert user.must_change
    assert user.name_cyrl == "Ўктам Ғаниев"
    assert user.sip_password == given.phone_password != ""
    accounts.prove_strong(given.password, "yangi", NEW.name)
    assert {e.topic for e in LiveEvent.select()} >= {accounts.TOPIC}


def test_the_name_in_cyrillic_is_proposed_and_can_be_another() -> None:
    manager = of("manager")
    person = staff.add(NEW, manager).user
    known = staff.entry(person)
    renamed = staff.change(person, dataclasses.replace(known, name="Jahon"), manager).user
    assert renamed.name_cyrl == "Жаҳон"
    own = dataclasses.replace(known, name="Elena Kim", name_cyrl="Елена  Ким")
    renamed = staff.change(person, own, manager).user
    assert renamed.name_cyrl == "Елена Ким"
    assert accounts.named(renamed, "ru") == accounts.named(renamed, "uz_Cyrl") == "Елена Ким"
    assert accounts.named(renamed, "uz_Latn") == "Elena Kim"
    assert accounts.names("ru")["yangi"] == "Елена Ким"


def test_another_role_ends_the_sessions_and_what_the_role_had(nilufar: User) -> None:
    manager = of("manager")
    presence.choose_state(nilufar, "ready")
    sessions.begin(nilufar, "10.0.0.5")
    wanted = dataclasses.replace(staff.entry(nilufar), role="backup")
    changed = staff.change(nilufar, wanted, manager).user
    assert sessions.of(nilufar) == []
    assert (changed.extension, changed.sip_password) == (None, None)
    assert presence.state_of(nilufar).state == "off"
    labour = departments.add({"name_uz_latn": "Bandlik"}, own_body=False, by="x")
    bahodir = of("ministry")
    staff.change(bahodir, dataclasses.replace(staff.entry(bahodir), department=labour.id), manager)
    assert accounts.department_of(bahodir) == labour.id
    staff.change(bahodir, dataclasses.replace(staff.entry(bahodir), role="backup"), manager)
    assert accounts.department_of(bahodir) is None


def test_a_name_or_a_language_leaves_the_sessions(nilufar: User) -> None:
    sessions.begin(nilufar, "10.0.0.5")
    wanted = dataclasses.replace(staff.entry(nilufar), name="Nilufar Umarova", speaks=("ru",))
    given = staff.change(nilufar, wanted, of("manager"))
    assert len(sessions.of(nilufar)) == 1
    assert given.phone_password == ""
    assert given.user.sip_password == nilufar.sip_password


def test_another_extension_has_another_password(nilufar: User) -> None:
    wanted = dataclasses.replace(staff.entry(nilufar), extension="1999")
    given = staff.change(nilufar, wanted, of("technician"))
    assert given.phone_password == given.user.sip_password != nilufar.sip_password


def test_only_an_operator_has_his_phone_in_the_page(nilufar: User) -> None:
    wanted = dataclasses.replace(staff.entry(nilufar), phone="page")
    assert staff.change(nilufar, wanted, None).user.phone == "page"
    supervisor = dataclasses.replace(staff.entry(nilufar), role="supervisor")
    assert staff.change(nilufar, supervisor, None).user.phone == "desk"
    with pytest.raises(accounts.StaffError, match="no phone of operator: pocket"):
        staff.add(dataclasses.replace(NEW, phone="pocket"), None)
    with pytest.raises(accounts.StaffError, match="no phone of manager"):
        accounts.choose_phone(User(role="manager"), "page", auto_answer=False)


def test_who_chooses_his_phone_is_audited_once(nilufar: User) -> None:
    for _ in range(2):
        accounts.choose_phone(nilufar, "page", auto_answer=True)
    told = [e.detail for e in AuditEntry.select().where(AuditEntry.action == "user.change")]
    assert told == [{"auto_answer": True, "phone": "page"}]


def test_who_is_closed_is_off_when_he_comes_back(nilufar: User) -> None:
    manager = of("manager")
    presence.choose_state(nilufar, "ready")
    staff.disable(nilufar, manager)
    assert accounts.authenticate(nilufar.login, PASSWORD) is None
    staff.enable(nilufar, manager)
    assert accounts.authenticate(nilufar.login, PASSWORD)
    assert presence.states()[nilufar.login] == "off"


def test_the_command_line_may_everything() -> None:
    technician = of("technician")
    assert staff.add(dataclasses.replace(NEW, role="ministry"), None).user.role == "ministry"
    staff.disable(technician, None)
    assert not User.get_by_id(technician.id).active


def test_every_change_is_audited_and_no_password_with_it(nilufar: User) -> None:
    manager = of("manager")
    before = AuditEntry.select().count()
    secrets = [staff.add(NEW, manager)]
    wanted = dataclasses.replace(staff.entry(nilufar), topics=(), extension="1999")
    secrets.append(staff.change(nilufar, wanted, manager))
    secrets += [act(nilufar, manager) for act in (staff.give_password, staff.give_phone_password)]
    for act in (staff.sign_out, staff.disable, staff.enable):
        act(nilufar, manager)
    entries = list(AuditEntry.select().order_by(AuditEntry.id).offset(before))
    assert [entry.action for entry in entries] == [
        *("user.add", "user.change", "user.password", "user.phone", "user.sign_out"),
        *("user.disable", "user.enable"),
    ]
    assert {entry.who for entry in entries} == {manager.login}
    assert entries[1].detail == {"extension": "1999", "topics": ""}
    kept = " ".join(str(entry.detail) for entry in entries)
    assert not any(text in kept for g in secrets for text in (g.password, g.phone_password) if text)


def test_the_table_for_the_reader_says_the_same() -> None:
    text = (Path(__file__).parents[2] / "docs" / "operating.md").read_text("utf-8")
    part = text.split("### Who may give which role")[1]
    head, _rule, *rows = re.findall(r"^\|(.+)\|$", part, re.MULTILINE)[:4]
    roles = [cell.strip() for cell in head.split("|")[1:]]
    assert sorted(roles) == sorted(ROLES)
    told = {}
    for row in rows:
        who, *cells = (cell.strip() for cell in row.split("|"))
        by = who.removeprefix("the ")
        told |= {(by, role): cell for role, cell in zip(roles, cells, strict=True)}
    assert {pair for pair, cell in told.items() if cell == "all"} == GIVE
    assert {pair for pair, cell in told.items() if cell == "phone"} == EQUIP
