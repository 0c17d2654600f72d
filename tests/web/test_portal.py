"""The ministry's pages as their answers: who sees which appeals, what is done, what is taken."""

import csv
import datetime as dt
import io
import re

import pytest
from test_appeals import FULL

from appliance import clock, departments, keys
from appliance.appeals import handling
from appliance.models import AccessKey, Appeal, AuditEntry, Department, Handling, User
from provisioning.local import translations
from web.browser import Browser
from web.test_languages import Texts

LOCALES = ("uz_Latn", "uz_Cyrl", "ru")


@pytest.fixture
def ministry(login_as) -> Browser:
    """Bahodir's browser."""
    return login_as("bahodir")


def step(browser: Browser, appeal: Appeal, action: str, version: int | None = None, **sent: str):
    """Send the form of the card, as it stands or of an older version."""
    version = version or Handling.get_by_id(appeal.id).version
    return browser.send(f"/appeals/{appeal.number}/steps", action=action, version=version, **sent)


def state(appeal: Appeal) -> str:
    return Handling.get_by_id(appeal.id).state


# the list


def test_the_list_shows_the_open_ones_and_the_rest_by_choice(ministry, register):
    one, two = register(), register(surname="Karimov", direction="training", region="1703")
    step(ministry, one, "answer", text="Javob")
    page = ministry.get("/appeals").text
    assert two.number in page
    assert one.number not in page
    assert one.number in ministry.get("/appeals?state=answered").text
    every = ministry.get("/appeals/list?all=1").text
    assert one.number in every
    assert two.number in every
    assert one.number not in ministry.get("/appeals?all=1&region=1703&since=01.01.2020").text
    assert (
        one.number in ministry.get("/appeals?all=1&department=1&district=1718236&region=1718").text
    )


def test_search_in_any_script(ministry, register):
    one, two = register(), register(surname="Karimov", gist="Boshqa", phone="901112233")
    for typed in ("Йўлдошева", "yoldosheva", one.number, "5550147"):
        page = ministry.get("/appeals", query_string={"q": typed}).text
        assert one.number in page, typed
        assert (two.number in page) == (typed == ""), typed
    assert "Kamida uchta" in ministry.get("/appeals?q=ab").text


def test_what_the_address_says_wrong_is_passed_over(ministry, register):
    one = register()
    asked = "/appeals?state=x&when=y&department=z&since=31.02.2026&page=-4&region=%27&q=%22%22"
    assert ministry.get(asked).status_code == 200
    assert one.number in ministry.get("/appeals?page=0").text
    huge = "9" * 30
    for asked in (
        f"page={huge}",
        f"department={huge}",
        "endpoint=x&_scheme=y",
        "q=" + "abc+" * 999,
    ):
        assert ministry.get(f"/appeals?{asked}").status_code == 200, asked
    assert step(ministry, one, "take", version=int(huge)).status_code == 409


def test_a_department_sees_its_own_everywhere(ministry, register, labour, law, bahodir, settings):
    one, other = register(), register(direction="training")
    departments.assign(bahodir, labour.id, by="sherzod")
    for path in ("/appeals", "/appeals/list?all=1", "/appeals/appeals.csv", "/appeals?q=tikuv"):
        with ministry.get(path) as answer:
            assert one.number in answer.text
            assert other.number not in answer.text, path
    assert ministry.get(f"/appeals/{other.number}").status_code == 404
    assert ministry.get(f"/appeals/{other.number}/history").status_code == 404
    assert step(ministry, other, "take").status_code == 404
    assert state(other) == "registered"
    sent = step(ministry, one, "forward", text="Ularga", department=str(law.id))
    assert sent.headers["Location"] == "/appeals"  # it is not theirs any more
    assert ministry.get(f"/appeals/{one.number}").status_code == 404


# the card


def test_each_step_by_the_page(ministry, register, law):
    appeal = register()
    card = ministry.get(f"/appeals/{appeal.number}").text
    for action in ("take", "answer", "interim", "return", "forward", "extend", "dismiss"):
        assert f'value="{action}"' in card
    for action, sent in (
        ("take", {}),
        ("extend", {"text": "Tekshiruv kerak"}),
        ("interim", {"text": "Oʻrganilmoqda"}),
        ("answer", {"text": "Hal qilindi"}),
        ("close", {}),
        ("reopen", {"text": "Tushuntirish"}),
        ("forward", {"text": "Ularga", "department": str(law.id)}),
    ):
        assert step(ministry, appeal, action, **sent).status_code == 302, action
    card = ministry.get(f"/appeals/{appeal.number}").text
    for text in ("Hal qilindi", "Tekshiruv kerak", "Bandlik boshqarmasi: Yuridik boʻlim"):
        assert text in card
    assert AuditEntry.select().where(AuditEntry.action == "appeal.view").count() == 2


def test_refused_the_text_stays(ministry, register):
    appeal = register()
    handling.take(appeal, "gulnora", 1)
    late = step(ministry, appeal, "answer", version=1, text="Uzun javob matni")
    assert late.status_code == 409
    assert "Uzun javob matni" in late.text
    assert "Kimdir oldinroq ulgurdi" in late.text
    held = step(ministry, appeal, "answer", text="Uzun javob matni")
    assert (held.status_code, state(appeal)) == (409, "taken")
    assert step(ministry, appeal, "forward", text="x", department="999").status_code == 409
    assert step(ministry, appeal, "burn", text="x").status_code == 400
    assert step(ministry, appeal, "correct", text="x").status_code == 400


def test_leads_read_and_do_not_decide(login_as, register):
    appeal = register()
    for role in ("supervisor", "manager"):
        browser = login_as(role)
        assert 'id="todo"' not in browser.get(f"/appeals/{appeal.number}").text
        assert step(browser, appeal, "take").status_code == 403


# correcting


def correct(browser: Browser, appeal: Appeal, **values: str):
    version = Handling.get_by_id(appeal.id).version
    path = f"/appeals/{appeal.number}/correct"
    return browser.send(path, path, version=version, **(FULL | values))


def test_back_to_the_operator_and_again_to_the_ministry(ministry, login_as, register):
    appeal, operator = register(), login_as("nilufar")
    step(ministry, appeal, "return", text="Uy raqami xato")
    for path in ("/operator", "/operator/card", "/appeals/returned"):
        page = operator.get(path).text
        assert appeal.number in page
        assert "Uy raqami xato" in page
    assert "Uy raqami xato" in operator.get(f"/appeals/{appeal.number}/correct").text
    assert correct(operator, appeal, address="Navroʻz, 13-uy").status_code == 302
    assert state(appeal) == "taken"
    assert appeal.number not in operator.get("/appeals/returned").text
    card = ministry.get(f"/appeals/{appeal.number}").text
    assert "Navroʻz koʻchasi, 12-uy / Navroʻz, 13-uy" in card
    assert "Nilufar Karimova" in card


def test_who_may_correct(login_as, register, nilufar):
    appeal = register()
    assert correct(login_as("supervisor"), appeal, gist="Nazoratchi").status_code == 302
    assert login_as("sardor").get(f"/appeals/{appeal.number}/correct").status_code == 404
    for role in ("manager", "ministry", "technician"):
        assert login_as(role).get(f"/appeals/{appeal.number}/correct").status_code == 403
    assert Appeal.get_by_id(appeal.id).gist == "Nazoratchi"


def test_a_correction_that_comes_too_late_keeps_what_was_typed(login_as, register):
    appeal, browser = register(), login_as("supervisor")
    path = f"/appeals/{appeal.number}/correct"
    late = browser.send(path, path, version=9, **(FULL | {"gist": "Kech keldi"}))
    assert late.status_code == 409
    assert "Kech keldi" in late.text


def test_a_specialist_is_contacted(ministry, login_as, register):
    appeal, earlier = register(consultation="1"), register(gist="Avvalgi")
    card = f"/appeals/{appeal.number}"
    for browser, contact in ((ministry, "A. Sobirov"), (login_as("nilufar"), "B. Olimova")):
        page = browser.get(card).text
        assert 'name="contact"' in page
        assert earlier.number in page  # another one of the same applicant
        version = Handling.get_by_id(appeal.id).version
        sent = browser.send(f"{card}/contacted", version=version, contact=contact)
        assert sent.status_code == 302
    assert "A. Sobirov; B. Olimova" in ministry.get(card).text
    late = ministry.send(f"{card}/contacted", version=1, contact="C. Kech")
    assert late.status_code == 409
    assert "C. Kech" in late.text
    assert login_as("sardor").send(f"{card}/contacted", version=3, contact="x").status_code == 404


# what is taken away


def table(browser: Browser, path: str = "/appeals/appeals.csv") -> list[list[str]]:
    with browser.get(path) as answer:
        return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))


def test_the_table_has_what_the_role_may_see(ministry, login_as, register):
    register(gist="=HYPERLINK(1)", first_name="@Gulchehra")
    head, row = table(ministry)
    told = dict(zip(head, row, strict=True))
    assert told["Telefon"] == "998 93 555 01 47"
    assert (told["Ism"], told["Murojaat mazmuni"]) == ("'@Gulchehra", "'=HYPERLINK(1)")
    assert told["Mahalla"] == "Koʻktepa yangi"
    assert told["Boʻlim"] == "Bandlik boshqarmasi"
    assert not {"Passport", "JSHSHIR (PINFL)"} & set(head)
    head, row = table(login_as("supervisor"))
    assert not {"Ism", "Familiya", "Telefon", "Manzil", "Mahalla"} & set(head)
    assert "Gulchehra" not in "".join(row)
    assert AuditEntry.select().where(AuditEntry.action == "appeals.download").count() == 2


def test_the_table_is_that_of_the_list(ministry, register):
    one, two = register(), register(direction="training")
    step(ministry, one, "answer", text="Javob")
    assert [row[0] for row in table(ministry)[1:]] == [two.number]
    everything = table(ministry, "/appeals/appeals.csv?all=1")
    assert [row[0] for row in everything[1:]] == [one.number, two.number]


def test_statistics_lead_to_their_appeals(ministry, register):
    one = register()
    # What is registered after hours counts from the next working day.
    page = ministry.get("/appeals/statistics?since=01.01.2020&until=31.12.2099").text
    links = re.findall(r'href="(/appeals\?[^"]+)"', page)
    assert any("region=1718" in link for link in links)
    for link in links:
        if "state=registered" in link or "region=1718" in link:
            assert one.number in ministry.get(link.replace("&amp;", "&")).text, link
    assert ministry.get("/appeals/statistics?since=x&until=y").status_code == 200


# departments and keys


def test_the_manager_keeps_the_departments(login_as, bahodir, labour):
    browser = login_as("manager")
    names = {"name_uz_latn": "Devonxona", "name_uz_cyrl": "Девонхона"}
    assert browser.send("/departments", **names, own_body="on").status_code == 302
    assert browser.send("/departments", **names).status_code == 422
    made = Department.get(Department.code == "devonxona")
    assert (made.own_body, made.name_uz_cyrl) == (True, "Девонхона")
    changed = {"name_uz_latn": "Devonxona", "name_ru": "Канцелярия", "active": "on"}
    browser.send(f"/departments/{made.id}", **changed)
    assert Department.get_by_id(made.id).name_ru == "Канцелярия"
    browser.send("/departments/routes", **{"direction-training": str(made.id)})
    assert departments.routes() == {"training": made.id}  # the other one was left empty
    browser.send("/departments/members", **{f"user-{bahodir.id}": str(made.id)})
    assert departments.of_user(bahodir) == made.id
    for unknown in ("999", "9" * 30):
        assert browser.send(f"/departments/{unknown}", **names).status_code == 404
        assert browser.send(f"/keys/{unknown}/revoke").status_code == 404


def test_a_key_is_shown_once_and_kept_as_a_hash(login_as, labour):
    browser = login_as("technician")
    sent = {"name": "Vazirlik tizimi", "scope": ["appeals:read"], "department": str(labour.id)}
    shown = browser.send("/keys", **sent, ends="31.12.2099").text
    secret = re.search(r'id="secret">([^<]+)<', shown)
    assert secret
    key = AccessKey.get()
    assert keys.known(secret[1]) == key
    assert secret[1] not in "".join(str(value) for value in key.__data__.values())
    again = browser.get("/keys").text
    assert secret[1] not in again
    assert "Vazirlik tizimi" in again
    for wrong in (
        {"name": "Vazirlik tizimi"},
        {"name": " "},
        {"scope": []},
        {"ends": "01.01.2020"},
    ):
        assert browser.send("/keys", **(sent | {"name": "Boshqa"} | wrong)).status_code == 422
    assert browser.send(f"/keys/{key.id}/revoke").status_code == 302
    assert keys.known(secret[1]) is None
    told = [e.action for e in AuditEntry.select() if e.action.startswith("key.")]
    assert told == ["key.make", "key.revoke"]


def test_a_key_ends_by_itself(settings, monkeypatch):
    ends = clock.now() + dt.timedelta(hours=1)
    scopes = ("reports:read",)
    _key, secret = keys.make("x", scopes, department=None, ends_at=ends, by="rustam")
    assert keys.known(secret)
    monkeypatch.setattr(clock, "now", lambda: ends)
    assert keys.known(secret) is None


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_is_left_in_english(login_as, register, bahodir, locale):
    english = {m.id for m in translations.extracted() if isinstance(m.id, str) and m.id}
    same = {m.id for m in translations.read(locale) if m.id and m.string == m.id}
    User.update(language=locale).execute()
    number = register(consultation="1").number
    keys.make("Tizim", keys.SCOPES, department=None, ends_at=None, by="rustam")
    for who, paths in {
        "bahodir": ["/appeals", "/appeals/statistics", f"/appeals/{number}"],
        "dilnoza": [f"/appeals/{number}/correct", "/appeals?q=ab"],
        "sherzod": ["/departments", "/keys"],
        "nilufar": ["/operator", f"/appeals/{number}"],
    }.items():
        browser = login_as(who)
        for path in paths:
            found = Texts(browser.get(path).text).found
            assert found & (english - same) == set(), path
