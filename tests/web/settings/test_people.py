"""The page of accounts: read by the supervisor, changed by the manager and the technician."""

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

NEW_PERSON = {"login": "yangi", "name": "Oʻktam Gʻaniyev", "role": "operator", "speaks": "uz"}
CSV_HEADER = "login,name,role,languages,extension\n"


@pytest.fixture
def topics(settings) -> None:
    """Two topics have operators of their own."""
    options = {"action": "own_queue"}
    plan = Plan(
        topics=(
            Topic("1", "Subsidiyalar", "Субсидии", code="subsidies", **options),
            Topic("2", "Ish topish", "Поиск работы", code="work", **options),
            Topic("3", "Boshqa", "Другое", code="other"),
        )
    )
    routing.save_plan(plan, "test")


def shown_secrets(page: str) -> dict[str, str]:
    return dict(re.findall(r'id="(password|phone-password)">([^<]+)<', page))


def test_account_is_created_and_its_passwords_are_shown_once(app, login_as) -> None:
    browser = login_as("manager")
    answer = browser.send("/people", **NEW_PERSON, extension="1500")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    credentials = shown_secrets(answer.text)
    user = accounts.authenticate_user("yangi", credentials["password"])
    assert user
    assert user.sip_password == credentials["phone-password"]
    for page in ("/people", f"/people/{user.id}", "/people/people.csv"):
        text = browser.get(page).text
        assert "yangi" in text
        assert not any(secret in text for secret in credentials.values())
    newcomer = app.test_client()
    newcomer.sign_in("yangi", credentials["password"])
    assert newcomer.get("/operator").headers["Location"] == "/account/first-password"


def test_invalid_account_is_reported_and_typed_values_are_kept(login_as) -> None:
    browser = login_as("manager")
    page = browser.refused_page(browser.send("/people", **NEW_PERSON | {"login": "nilufar"}))
    assert 'role="alert"' in page
    assert 'value="Oʻktam Gʻaniyev"' in page
    nilufar = accounts.find_account("nilufar")
    person_url = f"/people/{nilufar.id}"
    typed = {"name": "Boshqa ism", "role": "operator", "speaks": "uz", "extension": "12"}
    page = browser.refused_page(browser.send(person_url, **typed))
    assert 'value="Boshqa ism"' in page
    assert accounts.find_account("nilufar").name == "Nilufar Karimova"


def test_languages_topics_and_department_can_be_changed(login_as, topics, labour) -> None:
    browser = login_as("manager")
    nilufar, bahodir = accounts.find_account("nilufar"), accounts.find_account("bahodir")
    form = {"name": nilufar.name, "role": "operator", "speaks": ["ru"], "extension": "1001"}
    page = browser.get(f"/people/{nilufar.id}").text
    assert "Subsidiyalar" in page
    assert "Boshqa" not in page.split("topics")[1].split("</fieldset>")[0]
    browser.send(f"/people/{nilufar.id}", **form, every_topic="no", topic=["work"])
    updated = accounts.find_account("nilufar")
    assert (updated.speaks, updated.topics) == ("ru", "work")
    assert "Ish topish" in browser.get("/people/list").text
    browser.send(f"/people/{nilufar.id}", **form, every_topic="no")
    assert accounts.find_account("nilufar").topics == ""
    browser.send(f"/people/{nilufar.id}", **form, every_topic="yes", topic=["work"])
    assert accounts.find_account("nilufar").topics is None
    form = {"name": bahodir.name, "role": "ministry", "department": str(labour.id)}
    browser.send(f"/people/{bahodir.id}", **form)
    assert accounts.department_of(bahodir) == labour.id
    assert "Bandlik boshqarmasi" in browser.get("/people/list").text


def test_topics_removed_from_the_plan_stay_with_their_operators(login_as, topics) -> None:
    accounts.create_account(
        "uchinchi", "Uchinchi", "operator", PASSWORD, topics=("gone",), speaks=("uz",)
    )
    user = accounts.find_account("uchinchi")
    browser = login_as("manager")
    assert 'value="gone"' in browser.get(f"/people/{user.id}").text
    # no topic has operators of its own any more, so the form has no field for topics
    routing.save_plan(Plan(), "test")
    form = {"name": "Uchinchi", "role": "operator", "speaks": "uz"}
    browser.send(f"/people/{user.id}", **form)
    assert accounts.find_account("uchinchi").topics == "gone"


@pytest.mark.parametrize("what", ["password", "phone"])
def test_new_password_is_shown_only_in_the_response(login_as, what) -> None:
    browser = login_as("manager")
    nilufar = accounts.find_account("nilufar")
    answer = browser.send(f"/people/{nilufar.id}/{what}")
    credentials = shown_secrets(answer.text)
    assert len(credentials) == 1
    assert answer.headers["Cache-Control"] == "no-store"
    updated = accounts.find_account("nilufar")
    assert (updated.sip_password in credentials.values()) == (what == "phone")
    assert updated.must_change == (what == "password")
    assert not set(credentials.values()) & set(
        shown_secrets(browser.get(f"/people/{nilufar.id}").text)
    )


def test_account_can_be_closed_reopened_and_signed_out(login_as) -> None:
    manager, operator = login_as("manager"), login_as("nilufar")
    nilufar = accounts.find_account("nilufar")
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
    assert presence.states_by_login()["nilufar"] == "off"


def test_forbidden_changes_are_refused_and_change_nothing(login_as) -> None:
    technician = login_as("technician")
    bahodir = accounts.find_account("bahodir")
    page = technician.get(f"/people/{bahodir.id}").text
    assert f'action="/people/{bahodir.id}' not in page
    for end in ("", "/password", "/disable", "/signout"):
        form = {"name": "x", "role": "technician"} if not end else {}
        page = technician.refused_page(technician.send(f"/people/{bahodir.id}{end}", **form))
        assert 'role="alert"' in page
    page = technician.refused_page(
        technician.send("/people", **NEW_PERSON | {"role": "supervisor"})
    )
    assert 'role="alert"' in page
    assert accounts.find_account("yangi") is None
    updated = accounts.find_account("bahodir")
    assert (updated.name, updated.role, updated.active) == (bahodir.name, "ministry", True)


def test_browser_phone_is_offered_if_the_settings_allow_it(settings, app, login_as) -> None:
    number = accounts.find_account("nilufar").id
    assert 'name="phone"' not in login_as("manager").get(f"/people/{number}").text
    asterisk_settings = dataclasses.replace(settings.asterisk, browser_phones=True)
    app.config["SITE"] = dataclasses.replace(settings, asterisk=asterisk_settings)
    browser = login_as("technician")
    assert 'name="phone"' in browser.get(f"/people/{number}").text
    browser.send(f"/people/{number}", speaks="uz", extension="1001", phone="page")
    assert accounts.find_account("nilufar").phone == "page"


def test_technician_changes_only_an_operators_phone_and_languages(login_as) -> None:
    technician = login_as("technician")
    nilufar = accounts.find_account("nilufar")
    page = technician.get(f"/people/{nilufar.id}").text
    assert 'name="extension"' in page
    assert 'name="role"' not in page
    assert f"/people/{nilufar.id}/phone" in page
    assert f"/people/{nilufar.id}/password" not in page
    form = {"role": "technician", "name": "x", "speaks": "ru", "extension": "1001"}
    technician.send(f"/people/{nilufar.id}", **form)
    updated = accounts.find_account("nilufar")
    assert (updated.speaks, updated.role, updated.name) == ("ru", "operator", nilufar.name)


def test_supervisor_can_only_read_accounts(login_as) -> None:
    page = login_as("supervisor").get("/people").text
    assert "Nilufar Karimova" in page
    body = page.split("<main")[1].split("</main")[0]
    assert 'method="post"' not in body
    assert "/people/1" not in body


def test_search_works_in_any_script(login_as) -> None:
    browser = login_as("supervisor")
    for typed, is_match in (("нилу", True), ("1001", True), ("operator", True), ("sardor", False)):
        body = browser.get("/people/list", query_string={"q": typed}).text
        assert ("Nilufar" in body) == is_match, typed


def test_names_are_shown_in_the_script_of_the_reader(login_as) -> None:
    browser = login_as("supervisor")
    User.update(language="ru").where(User.login == "dilnoza").execute()
    assert "Нилуфар Каримова" in browser.get("/people").text


def test_import_shows_the_file_before_it_is_confirmed(app, login_as) -> None:
    browser = login_as("manager")
    text = CSV_HEADER + "op30,Ism Bir,operator,uz,1030\nop31,Ism Ikki,operator,ru,1031\n"
    file = (io.BytesIO(text.encode("utf-8-sig")), "people.csv")
    page = browser.refused_page(browser.send("/people/import", "/people/import", file=file))
    assert "Ism Ikki" in page
    assert 'name="confirmed"' in page
    assert accounts.find_account("op30") is None
    answer = browser.send("/people/import", "/people/import", people=text, confirmed="1")
    assert answer.status_code == 200
    user = accounts.find_account("op31")
    assert user.must_change
    assert user.sip_password in answer.text
    password = re.findall(r"<code>([a-z0-9]{4}-[a-z0-9]{4}-[a-z0-9]{4})</code>", answer.text)[1]
    assert app.test_client().sign_in("op31", password).status_code == 302
    assert not any(password in str(row.values) for row in RefusedForm.select())


def test_file_with_a_fault_creates_no_accounts(login_as) -> None:
    browser = login_as("manager")
    text = CSV_HEADER + "op30,Ism Bir,operator,uz,1030\nop31,Ism Ikki,boss,ru,1031\n"
    answer = browser.send("/people/import", "/people/import", people=text, confirmed="1")
    page = browser.refused_page(answer)
    assert 'name="confirmed"' not in page
    assert "Rolni tanlang." in page
    assert "op31,Ism Ikki,boss" in page  # to be corrected there
    assert accounts.find_account("op30") is None


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"a;b\n1;2\n", b""])
def test_invalid_file_is_refused(login_as, content) -> None:
    browser = login_as("manager")
    file = (io.BytesIO(content), "people.csv")
    page = browser.refused_page(browser.send("/people/import", "/people/import", file=file))
    assert 'role="alert"' in page


def test_protected_accounts_cannot_be_closed(login_as, sherzod) -> None:
    manager = login_as("manager")
    for login, end in (("sherzod", "disable"), ("rustam", "disable"), ("sherzod", "password")):
        action_url = f"/people/{accounts.find_account(login).id}/{end}"
        assert 'role="alert"' in manager.refused_page(manager.send(action_url))
    role = {"role": "backup", "name": "S"}
    page = manager.refused_page(manager.send(f"/people/{sherzod.id}", **role))
    assert 'role="alert"' in page
    assert staff.entry_of_user(accounts.find_account("sherzod")).role == "manager"


def test_topic_without_operators_is_reported(login_as, topics) -> None:
    browser = login_as("supervisor")
    assert "is-warn" not in browser.get("/people/list").text.split("<table")[0]
    for login in ("nilufar", "sardor"):
        user = accounts.find_account(login)
        entry = dataclasses.replace(staff.entry_of_user(user), topics=("work",))
        staff.change_person(user, entry, None)
    warnings = browser.get("/people/list").text.split("<table")[0]
    assert "subsidies" in warnings
    assert "work" not in warnings


def test_name_at_an_outside_service_can_be_stored(settings, app, login_as, nilufar) -> None:
    person_url = f"/people/{nilufar.id}"
    browser = login_as("manager")
    assert 'name="subject"' not in browser.get(person_url).text
    assert browser.send(f"{person_url}/identity", source="ldap", subject="n").status_code == 400
    object.__setattr__(app.config["SITE"], "ldap", Ldap("ldaps://127.9.9.3", "{}@vazirlik.uz"))
    assert browser.send(f"{person_url}/identity", source="ldap", subject="n.k").status_code == 302
    assert identities.identity_subjects(nilufar) == {"ldap": "n.k"}
    assert 'value="n.k"' in browser.get(person_url).text
    manager = accounts.find_account("sherzod")
    assert 'name="subject"' not in browser.get(f"/people/{manager.id}").text
    answer = browser.send(f"/people/{manager.id}/identity", source="ldap", subject="s")
    assert answer.status_code == 303
    answer = login_as("technician").send(f"{person_url}/identity", source="ldap", subject="x")
    assert answer.status_code == 303  # they may not give the operator a password either
    assert identities.identity_subjects(nilufar) == {"ldap": "n.k"}


def test_password_fallback_is_switched_on_the_persons_page(
    settings, app, login_as, nilufar
) -> None:
    person_url = f"/people/{nilufar.id}"
    browser = login_as("manager")
    assert f'action="{person_url}/fallback"' not in browser.get(person_url).text
    object.__setattr__(app.config["SITE"], "ldap", Ldap("ldaps://127.9.9.3", "{}@vazirlik.uz"))
    assert 'name="allowed"' in browser.get(person_url).text
    for form in ({"allowed": "on"}, {}):
        assert browser.send(f"{person_url}/fallback", **form).status_code == 302
        allowed = "allowed" in form
        assert accounts.find_account("nilufar").directory_fallback == allowed
        checkbox = browser.get(person_url).text.split('name="allowed"')[1].split(">")[0]
        assert ("checked" in checkbox) == allowed
    assert login_as("technician").send(f"{person_url}/fallback", allowed="on").status_code == 303
    manager = accounts.find_account("sherzod")
    assert browser.send(f"/people/{manager.id}/fallback", allowed="on").status_code == 303
    assert not User.select().where(User.directory_fallback).exists()
