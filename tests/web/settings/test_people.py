"""The page of accounts: seen by the supervisor, changed by manager and technician."""

import dataclasses
import io
import re

import pytest

from appliance.core.settings import Ldap
from appliance.models import RefusedForm, User
from appliance.people import accounts, identities, presence, staff
from appliance.telephony import routing
from appliance.telephony.routing import Plan, Topic
from tests.rig.people import PASSWORD

NEW = {"login": "yangi", "name": "Oʻktam Gʻaniyev", "role": "operator", "speaks": "uz"}
HEAD = "login,name,role,languages,extension\n"


@pytest.fixture
def topics(settings) -> None:
    """Two topics have operators of their own."""
    own = {"action": "own_queue"}
    plan = Plan(
        topics=(
            Topic("1", "Subsidiyalar", "Субсидии", code="subsidies", **own),
            Topic("2", "Ish topish", "Поиск работы", code="work", **own),
            Topic("3", "Boshqa", "Другое", code="other"),
        )
    )
    routing.save(plan, "test")


def secrets(page: str) -> dict[str, str]:
    return dict(re.findall(r'id="(password|phone-password)">([^<]+)<', page))


def test_an_account_is_made_and_its_passwords_are_shown_once(app, login_as) -> None:
    browser = login_as("manager")
    answer = browser.send("/people", **NEW, extension="1500")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    shown = secrets(answer.text)
    user = accounts.authenticate("yangi", shown["password"])
    assert user
    assert user.sip_password == shown["phone-password"]
    for page in ("/people", f"/people/{user.id}", "/people/people.csv"):
        text = browser.get(page).text
        assert "yangi" in text
        assert not any(secret in text for secret in shown.values())
    newcomer = app.test_client()
    newcomer.sign_in("yangi", shown["password"])
    assert newcomer.get("/operator").headers["Location"] == "/account/first-password"


def test_what_is_wrong_is_said_and_what_was_typed_stays(login_as) -> None:
    browser = login_as("manager")
    page = browser.refused(browser.send("/people", **NEW | {"login": "nilufar"}))
    assert 'role="alert"' in page
    assert 'value="Oʻktam Gʻaniyev"' in page
    nilufar = accounts.account("nilufar")
    there = f"/people/{nilufar.id}"
    typed = {"name": "Boshqa ism", "role": "operator", "speaks": "uz", "extension": "12"}
    page = browser.refused(browser.send(there, **typed))
    assert 'value="Boshqa ism"' in page
    assert accounts.account("nilufar").name == "Nilufar Karimova"


def test_languages_topics_and_department(login_as, topics, labour) -> None:
    browser = login_as("manager")
    nilufar, bahodir = accounts.account("nilufar"), accounts.account("bahodir")
    form = {"name": nilufar.name, "role": "operator", "speaks": ["ru"], "extension": "1001"}
    page = browser.get(f"/people/{nilufar.id}").text
    assert "Subsidiyalar" in page
    assert "Boshqa" not in page.split("topics")[1].split("</fieldset>")[0]
    browser.send(f"/people/{nilufar.id}", **form, every_topic="no", topic=["work"])
    now = accounts.account("nilufar")
    assert (now.speaks, now.topics) == ("ru", "work")
    assert "Ish topish" in browser.get("/people/list").text
    browser.send(f"/people/{nilufar.id}", **form, every_topic="no")
    assert accounts.account("nilufar").topics == ""
    browser.send(f"/people/{nilufar.id}", **form, every_topic="yes", topic=["work"])
    assert accounts.account("nilufar").topics is None
    form = {"name": bahodir.name, "role": "ministry", "department": str(labour.id)}
    browser.send(f"/people/{bahodir.id}", **form)
    assert accounts.department_of(bahodir) == labour.id
    assert "Bandlik boshqarmasi" in browser.get("/people/list").text


def test_topics_that_the_plan_lost_stay_with_who_served_them(login_as, topics) -> None:
    accounts.add("uchinchi", "Uchinchi", "operator", PASSWORD, topics=("gone",), speaks=("uz",))
    user = accounts.account("uchinchi")
    browser = login_as("manager")
    assert 'value="gone"' in browser.get(f"/people/{user.id}").text
    routing.save(Plan(), "test")  # no topic has operators of its own: the form does not ask
    form = {"name": "Uchinchi", "role": "operator", "speaks": "uz"}
    browser.send(f"/people/{user.id}", **form)
    assert accounts.account("uchinchi").topics == "gone"


@pytest.mark.parametrize("what", ["password", "phone"])
def test_a_new_password_is_on_the_answer_only(login_as, what) -> None:
    browser = login_as("manager")
    nilufar = accounts.account("nilufar")
    answer = browser.send(f"/people/{nilufar.id}/{what}")
    shown = secrets(answer.text)
    assert len(shown) == 1
    assert answer.headers["Cache-Control"] == "no-store"
    now = accounts.account("nilufar")
    assert (now.sip_password in shown.values()) == (what == "phone")
    assert now.must_change == (what == "password")
    assert not set(shown.values()) & set(secrets(browser.get(f"/people/{nilufar.id}").text))


def test_closing_opening_and_signing_out(login_as) -> None:
    manager, operator = login_as("manager"), login_as("nilufar")
    nilufar = accounts.account("nilufar")
    presence.choose_state(nilufar, "ready")
    assert operator.get("/operator").status_code == 200
    manager.send(f"/people/{nilufar.id}/signout")
    assert "/login" in operator.get("/operator").headers["Location"]
    operator.sign_in("nilufar", PASSWORD)
    manager.send(f"/people/{nilufar.id}/disable")
    assert "/login" in operator.get("/operator").headers["Location"]
    assert operator.sign_in("nilufar", PASSWORD).status_code == 401
    manager.send(f"/people/{nilufar.id}/enable")
    assert operator.sign_in("nilufar", PASSWORD).status_code == 302
    assert presence.states()["nilufar"] == "off"


def test_who_may_not_is_told_so_and_nothing_changes(login_as) -> None:
    technician = login_as("technician")
    bahodir = accounts.account("bahodir")
    page = technician.get(f"/people/{bahodir.id}").text
    assert f'action="/people/{bahodir.id}' not in page
    for end in ("", "/password", "/disable", "/signout"):
        form = {"name": "x", "role": "technician"} if not end else {}
        page = technician.refused(technician.send(f"/people/{bahodir.id}{end}", **form))
        assert 'role="alert"' in page
    page = technician.refused(technician.send("/people", **NEW | {"role": "supervisor"}))
    assert 'role="alert"' in page
    assert accounts.account("yangi") is None
    now = accounts.account("bahodir")
    assert (now.name, now.role, now.active) == (bahodir.name, "ministry", True)


def test_a_phone_in_the_page_is_offered_where_it_is_let_in(settings, app, login_as) -> None:
    number = accounts.account("nilufar").id
    assert 'name="phone"' not in login_as("manager").get(f"/people/{number}").text
    let_in = dataclasses.replace(settings.asterisk, browser_phones=True)
    app.config["SITE"] = dataclasses.replace(settings, asterisk=let_in)
    browser = login_as("technician")
    assert 'name="phone"' in browser.get(f"/people/{number}").text
    browser.send(f"/people/{number}", speaks="uz", extension="1001", phone="page")
    assert accounts.account("nilufar").phone == "page"


def test_the_technician_sees_to_an_operators_phone_alone(login_as) -> None:
    technician = login_as("technician")
    nilufar = accounts.account("nilufar")
    page = technician.get(f"/people/{nilufar.id}").text
    assert 'name="extension"' in page
    assert 'name="role"' not in page
    assert f"/people/{nilufar.id}/phone" in page
    assert f"/people/{nilufar.id}/password" not in page
    form = {"role": "technician", "name": "x", "speaks": "ru", "extension": "1001"}
    technician.send(f"/people/{nilufar.id}", **form)
    now = accounts.account("nilufar")
    assert (now.speaks, now.role, now.name) == ("ru", "operator", nilufar.name)


def test_the_supervisor_reads(login_as) -> None:
    page = login_as("supervisor").get("/people").text
    assert "Nilufar Karimova" in page
    body = page.split("<main")[1].split("</main")[0]
    assert 'method="post"' not in body
    assert "/people/1" not in body


def test_one_finds_in_any_script(login_as) -> None:
    browser = login_as("supervisor")
    for typed, found in (("нилу", True), ("1001", True), ("operator", True), ("sardor", False)):
        body = browser.get("/people/list", query_string={"q": typed}).text
        assert ("Nilufar" in body) == found, typed


def test_names_are_in_the_readers_script(login_as) -> None:
    browser = login_as("supervisor")
    User.update(language="ru").where(User.login == "dilnoza").execute()
    assert "Нилуфар Каримова" in browser.get("/people").text


def test_a_file_is_looked_at_then_confirmed(app, login_as) -> None:
    browser = login_as("manager")
    text = HEAD + "op30,Ism Bir,operator,uz,1030\nop31,Ism Ikki,operator,ru,1031\n"
    file = (io.BytesIO(text.encode("utf-8-sig")), "people.csv")
    page = browser.refused(browser.send("/people/import", "/people/import", file=file))
    assert "Ism Ikki" in page
    assert 'name="confirmed"' in page
    assert accounts.account("op30") is None
    answer = browser.send("/people/import", "/people/import", people=text, confirmed="1")
    assert answer.status_code == 200
    made = accounts.account("op31")
    assert made.must_change
    assert made.sip_password in answer.text
    password = re.findall(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>", answer.text)[1]
    assert app.test_client().sign_in("op31", password).status_code == 302
    assert not any(password in str(row.values) for row in RefusedForm.select())


def test_a_file_with_a_fault_makes_nobody(login_as) -> None:
    browser = login_as("manager")
    text = HEAD + "op30,Ism Bir,operator,uz,1030\nop31,Ism Ikki,boss,ru,1031\n"
    answer = browser.send("/people/import", "/people/import", people=text, confirmed="1")
    page = browser.refused(answer)
    assert 'name="confirmed"' not in page
    assert "Rolni tanlang." in page
    assert "op31,Ism Ikki,boss" in page  # to be mended there
    assert accounts.account("op30") is None


@pytest.mark.parametrize("sent", [b"\xff\xfe\x00", b"a;b\n1;2\n", b""])
def test_a_file_that_is_none_is_refused(login_as, sent) -> None:
    browser = login_as("manager")
    file = (io.BytesIO(sent), "people.csv")
    page = browser.refused(browser.send("/people/import", "/people/import", file=file))
    assert 'role="alert"' in page


def test_staff_that_nobody_may_close_stays(login_as, sherzod) -> None:
    manager = login_as("manager")
    for login, end in (("sherzod", "disable"), ("rustam", "disable"), ("sherzod", "password")):
        there = f"/people/{accounts.account(login).id}/{end}"
        assert 'role="alert"' in manager.refused(manager.send(there))
    role = {"role": "backup", "name": "S"}
    page = manager.refused(manager.send(f"/people/{sherzod.id}", **role))
    assert 'role="alert"' in page
    assert staff.entry(accounts.account("sherzod")).role == "manager"


def test_a_topic_that_nobody_serves_is_told(login_as, topics) -> None:
    browser = login_as("supervisor")
    assert "is-warn" not in browser.get("/people/list").text.split("<table")[0]
    for login in ("nilufar", "sardor"):
        user = accounts.account(login)
        wanted = dataclasses.replace(staff.entry(user), topics=("work",))
        staff.change(user, wanted, None)
    told = browser.get("/people/list").text.split("<table")[0]
    assert "subsidies" in told
    assert "work" not in told


def test_what_a_party_outside_calls_a_person_is_noted(settings, app, login_as, nilufar) -> None:
    there = f"/people/{nilufar.id}"
    browser = login_as("manager")
    assert 'name="subject"' not in browser.get(there).text
    assert browser.send(f"{there}/identity", source="ldap", subject="n").status_code == 400
    object.__setattr__(app.config["SITE"], "ldap", Ldap("ldaps://127.9.9.3", "{}@vazirlik.uz"))
    assert browser.send(f"{there}/identity", source="ldap", subject="n.k").status_code == 302
    assert identities.of(nilufar) == {"ldap": "n.k"}
    assert 'value="n.k"' in browser.get(there).text
    own = accounts.account("sherzod")
    assert 'name="subject"' not in browser.get(f"/people/{own.id}").text
    answer = browser.send(f"/people/{own.id}/identity", source="ldap", subject="s")
    assert answer.status_code == 303
    answer = login_as("technician").send(f"{there}/identity", source="ldap", subject="x")
    assert answer.status_code == 303  # he gives no operator a password either
    assert identities.of(nilufar) == {"ldap": "n.k"}


def test_the_fallback_is_switched_on_the_page_of_a_person(settings, app, login_as, nilufar) -> None:
    there = f"/people/{nilufar.id}"
    browser = login_as("manager")
    assert f'action="{there}/fallback"' not in browser.get(there).text
    object.__setattr__(app.config["SITE"], "ldap", Ldap("ldaps://127.9.9.3", "{}@vazirlik.uz"))
    assert 'name="allowed"' in browser.get(there).text
    for form in ({"allowed": "on"}, {}):
        assert browser.send(f"{there}/fallback", **form).status_code == 302
        allowed = "allowed" in form
        assert accounts.account("nilufar").directory_fallback == allowed
        box = browser.get(there).text.split('name="allowed"')[1].split(">")[0]
        assert ("checked" in box) == allowed
    assert login_as("technician").send(f"{there}/fallback", allowed="on").status_code == 303
    own = accounts.account("sherzod")
    assert browser.send(f"/people/{own.id}/fallback", allowed="on").status_code == 303
    assert not User.select().where(User.directory_fallback).exists()
