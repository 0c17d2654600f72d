"""Importing users from a CSV file: what is read, and each fault with its line."""

import pytest

from appliance.casework import departments
from appliance.core.refusals import Refused
from appliance.models import User
from appliance.people import accounts, roster, staff
from tests.rig.people import LOGIN_OF_ROLE

pytestmark = pytest.mark.usefixtures("settings")

CSV_HEADER = "login;name;name_cyrl;role;languages;topics;extension;department\n"


def read_lines(text: str, role: str = "manager") -> list[roster.RosterLine]:
    return roster.parse_roster(
        text, User.get(User.login == LOGIN_OF_ROLE[role]), ("subsidies", "work")
    )


def test_reading_a_file_creates_no_accounts() -> None:
    labour = departments.add_department(
        {"name_uz_latn": "Bandlik boshqarmasi"}, own_body=False, actor="x"
    )
    before = User.select().count()
    lines = read_lines(
        CSV_HEADER + "Op30;Ulug`bek Mirzayev;;operator;uz ru;;1030;\n"
        "\n"
        "op31;Elena Kim;Елена Ким;Operator;RU;subsidies work;1031;\n"
        "op32;Timur Valiyev;;operator;uz;-;;\n"
        "vaz2;Barno Aliyeva;;ministry;;;;bandlik boshqarmasi\n"
    )
    assert [line.fault for line in lines] == [""] * 4
    assert [line.number for line in lines] == [2, 4, 5, 6]
    first, second, third, fourth = (line.entry for line in lines)
    assert (first.login, first.name) == ("op30", "Ulugʻbek Mirzayev")
    assert (first.speaks, first.topics, first.extension) == (("uz", "ru"), None, "1030")
    assert (second.name_cyrl, second.topics) == ("Елена Ким", ("subsidies", "work"))
    assert third.topics == ()
    assert fourth.department == labour.id
    assert User.select().count() == before


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (";Ism;;operator;uz;;;", "login"),
        ("nilufar;Ism;;operator;uz;;;", "login"),
        ("op30;;;operator;uz;;;", "name"),
        ("op30;Ism;;boss;uz;;;", "role"),
        ("op30;Ism;;operator;;;;", "speaks"),
        ("op30;Ism;;operator;en;;;", "speaks"),
        ("op30;Ism;;operator;uz;pension;;", "topics"),
        ("op30;Ism;;operator;uz;;1001;", "extension"),
        ("vaz2;Ism;;ministry;;;;no such", "department"),
        ("op30;Ism;;operator;uz;;;;too;many", "fields"),
        ("op29;Ism;;operator;uz;;;", "twice"),
        ("op30;Ism;;operator;uz;;1029;", "twice"),
    ],
)
def test_a_fault_is_reported_with_its_line(line: str, fault: str) -> None:
    lines = read_lines(CSV_HEADER + "op29;Birinchi;;operator;uz;;1029;\n" + line + "\n")
    assert [line_read.fault for line_read in lines] == ["", fault]
    assert lines[1].number == 3


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "columns"),
        ("login,name\na,b\n", "columns"),
        ("login,name,role,salary\na,b,c,1\n", "columns"),
        ("login,name,role\n\n", "empty"),
        ("login,name,role\n" + "".join(f"u{n},N,backup\n" for n in range(301)), "many"),
    ],
)
def test_an_invalid_file_is_refused(text: str, code: str) -> None:
    with pytest.raises(Refused) as error:
        read_lines(text)
    assert error.value.code == code


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_any_separator_and_a_byte_order_mark_are_accepted(separator: str) -> None:
    rows = [("login", "role", "name"), ("op30", "backup", "Ism Familiya")]
    text = "\ufeff" + "\r\n".join(separator.join(row) for row in rows)
    [line] = read_lines(text)
    assert (line.entry.login, line.entry.name, line.fault) == ("op30", "Ism Familiya", "")


def test_a_technicians_file_cannot_add_roles_that_read_appeals() -> None:
    roles = ("operator", "supervisor", "manager", "ministry", "technician", "backup")
    text = CSV_HEADER + "".join(f"u{n};Ism;;{role};uz;;;\n" for n, role in enumerate(roles))
    faults = [line.fault for line in read_lines(text, "technician")]
    assert faults == ["rights"] * 4 + ["", ""]


def test_an_exported_file_can_be_read_again() -> None:
    manager = User.get(User.login == LOGIN_OF_ROLE["manager"])
    lines = read_lines(
        CSV_HEADER + "op30;Ism;;operator;uz ru;subsidies;1030;\nop31;Ism;;operator;uz;-;;\n"
        "op32;=SUM(1);;operator;uz;;;\n"
    )
    users = [g.user for g in staff.add_people([line.entry for line in lines], manager)]
    text = roster.format_roster(users)
    for user in users:
        user.delete_instance()
    assert [line.entry.name for line in read_lines(text)] == ["Ism", "Ism", "=SUM(1)"]
    entries = [line.entry for line in read_lines(text)]
    assert [e.topics for e in entries] == [("subsidies",), (), None]


def test_all_accounts_are_created_or_no_account_is() -> None:
    manager = User.get(User.login == LOGIN_OF_ROLE["manager"])
    lines = read_lines(CSV_HEADER + "op30;Ism;;operator;uz;;1030;\nop31;Ism;;operator;uz;;1031;\n")
    entries = [line.entry for line in lines]
    accounts.create_account("op31", "Kimdir", "backup", "x")  # added by someone else in between
    with pytest.raises(Refused):
        staff.add_people(entries, manager)
    assert accounts.find_account("op30") is None
