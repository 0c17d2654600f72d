"""The page *Audit*: filtered by user, action, record, days and address; as text and as a file."""

import ast
import re
from pathlib import Path

import pytest

from appliance import PACKAGE
from appliance.core import audit, i18n
from appliance.core.audit import labels
from appliance.core.i18n import LOCALES
from appliance.models import AuditEntry


@pytest.fixture
def audit_entries(settings):
    """Some entries, two of them from an address."""
    audit.record_entry("nilufar", "appeal.register", "2026-000001", call="hotline-1.1")
    audit.record_entry("dilnoza", "appeal.list", "", appeal=["2026-000001", "2026-000002"])
    audit.request_address.set("192.0.2.7")
    audit.record_entry("dilnoza", "recording.listen", "hotline-1.1", reason="shikoyat")
    audit.record_entry("bahodir", "appeal.view", "2026-000002", asked={"q": "Toshmatov"})
    audit.request_address.set("")


def row_subjects(browser, **query: str) -> list[str]:
    """Return the action and the subject of each row of the page."""
    page = browser.get("/audit", query_string=query).text
    body = page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr>")[1:]]
    return [f"{row[2].strip()} {row[3].strip()}" for row in cells]


def test_filters_select_the_matching_entries(audit_entries, login_as) -> None:
    browser = login_as("manager")
    listen, view = "Suhbat yozuvi: tinglash hotline-1.1", "Murojaat: koʻrish 2026-000002"
    listed, registered = "Murojaat: roʻyxatini koʻrish –", "Murojaat: roʻyxatga olish 2026-000001"
    assert row_subjects(browser, who="dilnoza") == [listen, listed]
    assert row_subjects(browser, action="recording.") == [listen]
    assert row_subjects(browser, record="2026-000001") == [listed, registered]
    assert row_subjects(browser, address="192.0.2.7") == [view, listen]
    assert row_subjects(browser, who="dilnoza", address="192.0.2.7") == [listen]
    assert row_subjects(browser, who="dilnoza", until="01.01.2020") == []
    assert row_subjects(browser, who="dilnoza", since="nonsense") == [listen, listed]


def test_reading_the_audit_is_recorded(audit_entries, login_as) -> None:
    login_as("manager").get("/audit?who=dilnoza")
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (last.action, last.detail["asked"], last.address) == (
        "audit.read",
        {"who": "dilnoza"},
        "127.0.0.1",
    )


def test_entries_are_paged(settings, login_as) -> None:
    for number in range(250):
        audit.record_entry("pbx", "follow_up.done", str(number))
    browser, numbers = login_as("manager"), []
    page = browser.get("/audit?who=pbx").text
    while True:
        numbers += re.findall(r'<td class="nowrap">(\d+)</td>', page)
        older = re.search(r'href="(/audit\?[^"]*before=[^"]+)"', page)
        if not older:
            break
        page = browser.get(older[1].replace("&amp;", "&")).text
    assert numbers == [str(number) for number in reversed(range(250))]


def test_technician_sees_no_citizens_data(audit_entries, login_as) -> None:
    assert "Toshmatov" in login_as("manager").get("/audit").text
    technician = login_as("technician")
    for path in ("/audit", "/audit/audit.csv"):
        text = technician.get(path).text
        assert "Murojaat: koʻrish" in text
        assert "Toshmatov" not in text


def test_technician_sees_no_phone_numbers_and_no_search_texts(settings, login_as) -> None:
    """The rows hide them, and a filter by one does not reveal whether such rows exist."""
    number = "+998935550148"
    audit.record_entry("nilufar", "number.view", number, page="callbacks.show_callback_form")
    audit.record_entry("dilnoza", "appeals.download", "all=1&q=Toshmatov")
    audit.record_entry("dilnoza", "appeal.list", "", asked={"q": "Toshmatov"})
    manager, technician = login_as("manager"), login_as("technician")
    for path in ("/audit", "/audit/audit.csv"):
        for word in (number, "Toshmatov"):
            assert word in manager.get(path).text
            assert word not in technician.get(path).text
    visible = set(row_subjects(technician))
    assert "Telefon raqami: koʻrish –" in visible
    # no row reveals that there are some
    assert visible <= set(row_subjects(technician, record=number))
    assert row_subjects(manager, record="Toshmatov")
    assert row_subjects(technician, record="Toshmatov") == []


def test_csv_file_is_safe_for_office_programs(settings, login_as) -> None:
    audit.record_entry("dilnoza", "appeal.list", "", asked={"q": "x"}, reason='=HYPERLINK("x")')
    audit.record_entry("=cmd", "login.failed")
    text = login_as("manager").get("/audit/audit.csv").text
    assert text[0] == "\ufeff"
    assert not re.search(r"(^|[;\"])[=+@-]", text, re.MULTILINE)


def recorded_actions() -> set[str]:
    """Return every action that the sources record, if the call contains it as a literal."""
    names = set()
    for file in Path(PACKAGE).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and len(node.args) > 1):
                continue
            name = ast.unparse(node.func)
            if name not in ("audit.record_entry", "_record_audit") or name == "":
                continue
            argument = node.args[1] if name == "audit.record_entry" else node.args[0]
            names |= {
                part.value
                for part in ast.walk(argument)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
    return {
        argument
        for argument in names
        if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+|login|logout", argument)
    }


def test_every_action_has_a_label_in_every_language(settings) -> None:
    actions_found = recorded_actions()
    assert len(actions_found) > 80
    assert {action for action in actions_found if not labels.has_labels(action)} == set()
    for locale in LOCALES:
        translate = i18n.locale_translations(locale).gettext
        for action in actions_found:
            thing, done = labels.action_labels(action)
            assert translate(thing) != thing or thing in ("SMS",), (locale, action, thing)
            assert not done or translate(done) != done, (locale, action, done)


def test_unknown_action_is_labelled_by_its_code() -> None:
    assert labels.action_labels("weather.rain") == ("weather", "weather.rain".partition(".")[2])


def test_refused_key_and_people_export_are_recorded(app, login_as) -> None:
    program = app.test_client()
    assert program.get("/api/v1/appeals").status_code == 401
    assert AuditEntry.select().where(AuditEntry.action == "key.refused").count() == 0
    for path in ("/api/v1/appeals", "/api/v1/departments"):
        answer = program.get(path, headers={"Authorization": "Bearer hk_wrong"})
        assert answer.status_code == 401
    pages = [row.detail["page"] for row in AuditEntry.select().where(AuditEntry.who == "-")]
    assert pages == ["api.list_appeals", "api.list_departments"]
    login_as("technician").get("/people/people.csv")
    assert AuditEntry.get(AuditEntry.action == "user.export").who == "rustam"
