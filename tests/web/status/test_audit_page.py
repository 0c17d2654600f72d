"""The page *Audit*: found by who, what, record, days, address; in words; as a file."""

import ast
import re
from pathlib import Path

import pytest

from appliance import PACKAGE
from appliance.core import audit, i18n
from appliance.core.audit import words
from appliance.core.i18n import LOCALES
from appliance.models import AuditEntry


@pytest.fixture
def told(settings):
    """Some entries, two of them from an address."""
    audit.record("nilufar", "appeal.register", "2026-000001", call="hotline-1.1")
    audit.record("dilnoza", "appeal.list", "", appeal=["2026-000001", "2026-000002"])
    audit.came_from.set("192.0.2.7")
    audit.record("dilnoza", "recording.listen", "hotline-1.1", reason="shikoyat")
    audit.record("bahodir", "appeal.view", "2026-000002", asked={"q": "Toshmatov"})
    audit.came_from.set("")


def subjects(browser, **asked: str) -> list[str]:
    """What the rows of the page tell as done."""
    page = browser.get("/audit", query_string=asked).text
    body = page.split("<tbody>")[1].split("</tbody>")[0] if "<tbody>" in page else ""
    cells = [re.findall(r"<td[^>]*>(.*?)</td>", row, re.DOTALL) for row in body.split("<tr>")[1:]]
    return [f"{row[2].strip()} {row[3].strip()}" for row in cells]


def test_the_filters_find_what_they_say(told, login_as) -> None:
    browser = login_as("manager")
    listen, view = "Suhbat yozuvi: tinglash hotline-1.1", "Murojaat: koʻrish 2026-000002"
    listed, made = "Murojaat: roʻyxatini koʻrish –", "Murojaat: roʻyxatga olish 2026-000001"
    assert subjects(browser, who="dilnoza") == [listen, listed]
    assert subjects(browser, action="recording.") == [listen]
    assert subjects(browser, record="2026-000001") == [listed, made]
    assert subjects(browser, address="192.0.2.7") == [view, listen]
    assert subjects(browser, who="dilnoza", address="192.0.2.7") == [listen]
    assert subjects(browser, who="dilnoza", until="01.01.2020") == []
    assert subjects(browser, who="dilnoza", since="nonsense") == [listen, listed]


def test_reading_it_is_in_it(told, login_as) -> None:
    login_as("manager").get("/audit?who=dilnoza")
    last = AuditEntry.select().order_by(AuditEntry.id.desc()).first()
    assert (last.action, last.detail["asked"], last.address) == (
        "audit.read",
        {"who": "dilnoza"},
        "127.0.0.1",
    )


def test_it_is_turned_page_by_page(settings, login_as) -> None:
    for number in range(250):
        audit.record("pbx", "follow_up.done", str(number))
    browser, seen = login_as("manager"), []
    page = browser.get("/audit?who=pbx").text
    while True:
        seen += re.findall(r'<td class="nowrap">(\d+)</td>', page)
        older = re.search(r'href="(/audit\?[^"]*before=[^"]+)"', page)
        if not older:
            break
        page = browser.get(older[1].replace("&amp;", "&")).text
    assert seen == [str(number) for number in reversed(range(250))]


def test_the_technician_reads_no_citizen(told, login_as) -> None:
    assert "Toshmatov" in login_as("manager").get("/audit").text
    technician = login_as("technician")
    for path in ("/audit", "/audit/audit.csv"):
        text = technician.get(path).text
        assert "Murojaat: koʻrish" in text
        assert "Toshmatov" not in text


def test_the_technician_reads_no_number_and_no_question(settings, login_as) -> None:
    """Neither as what a row is about, nor by asking for one: whoever is told of it reads all."""
    number = "+998935550148"
    audit.record("nilufar", "number.view", number, page="callbacks.form")
    audit.record("dilnoza", "appeals.download", "all=1&q=Toshmatov")
    audit.record("dilnoza", "appeal.list", "", asked={"q": "Toshmatov"})
    manager, technician = login_as("manager"), login_as("technician")
    for path in ("/audit", "/audit/audit.csv"):
        for word in (number, "Toshmatov"):
            assert word in manager.get(path).text
            assert word not in technician.get(path).text
    seen = set(subjects(technician))
    assert "Telefon raqami: koʻrish –" in seen
    assert seen <= set(subjects(technician, record=number))  # no row tells that there are some
    assert subjects(manager, record="Toshmatov")
    assert subjects(technician, record="Toshmatov") == []


def test_the_file_is_safe_for_office_programs(settings, login_as) -> None:
    audit.record("dilnoza", "appeal.list", "", asked={"q": "x"}, reason='=HYPERLINK("x")')
    audit.record("=cmd", "login.failed")
    text = login_as("manager").get("/audit/audit.csv").text
    assert text[0] == "\ufeff"
    assert not re.search(r"(^|[;\"])[=+@-]", text, re.MULTILINE)


def actions() -> set[str]:
    """Every action that the sources write down, as far as it stands there."""
    found = set()
    for file in Path(PACKAGE).rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            if not (isinstance(node, ast.Call) and len(node.args) > 1):
                continue
            name = ast.unparse(node.func)
            if name not in ("audit.record", "_note") or name == "":
                continue
            one = node.args[1] if name == "audit.record" else node.args[0]
            found |= {
                part.value
                for part in ast.walk(one)
                if isinstance(part, ast.Constant) and isinstance(part.value, str)
            }
    return {one for one in found if re.fullmatch(r"[a-z_]+(\.[a-z_]+)+|login|logout", one)}


def test_every_action_has_words_in_every_language(settings) -> None:
    known = actions()
    assert len(known) > 80
    assert {one for one in known if not words.is_known(one)} == set()
    for locale in LOCALES:
        say = i18n.translations(locale).gettext
        for one in known:
            thing, done = words.named(one)
            assert say(thing) != thing or thing in ("SMS",), (locale, one, thing)
            assert not done or say(done) != done, (locale, one, done)


def test_what_is_not_known_is_called_by_its_code() -> None:
    assert words.named("weather.rain") == ("weather", "weather.rain".partition(".")[2])


def test_who_is_refused_with_a_key_and_who_takes_people_away_leaves_a_row(app, login_as) -> None:
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
