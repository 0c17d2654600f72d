"""The ministry's pages as their answers: who sees which appeals, what is done, what is taken."""

import csv
import datetime as dt
import io
import re

import pytest

from appliance.casework import departments
from appliance.casework.appeals import handling
from appliance.core import clock
from appliance.models import AccessKey, Appeal, AuditEntry, Department, Handling, User
from appliance.people import accounts, keys, staff
from provisioning.local import translations
from tests.casework.test_appeals import FULL
from tests.rig.browser import Browser
from tests.rig.programs import key_in_force
from tests.web.shell.test_languages import Texts

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
    assert 'role="alert"' in ministry.refused(step(ministry, one, "take", version=int(huge)))


def test_a_department_sees_its_own_everywhere(ministry, register, labour, law, bahodir, settings):
    one, other = register(), register(direction="training")
    staff.assign(bahodir, labour.id, by="sherzod")
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
    page = ministry.refused(late)
    assert "Uzun javob matni" in page
    assert "Boshqa xodim avvalroq bajardi" in page
    held = step(ministry, appeal, "answer", text="Uzun javob matni")
    assert (held.status_code, state(appeal)) == (303, "taken")
    assert step(ministry, appeal, "forward", text="x", department="999").status_code == 303
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
    assert "Kech keldi" in browser.refused(late)


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
    assert "C. Kech" in ministry.refused(late)
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
    assert 'value="Devonxona"' in browser.refused(browser.send("/departments", **names))
    made = Department.get(Department.code == "devonxona")
    assert (made.own_body, made.name_uz_cyrl) == (True, "Девонхона")
    changed = {"name_uz_latn": "Devonxona", "name_ru": "Канцелярия", "active": "on"}
    browser.send(f"/departments/{made.id}", **changed)
    assert Department.get_by_id(made.id).name_ru == "Канцелярия"
    browser.send("/departments/routes", **{"direction-training": str(made.id)})
    assert departments.routes() == {"training": made.id}  # the other one was left empty
    browser.send("/departments/members", **{f"user-{bahodir.id}": str(made.id)})
    assert accounts.department_of(bahodir) == made.id
    for unknown in ("999", "9" * 30):
        assert browser.send(f"/departments/{unknown}", **names).status_code == 404
        assert browser.send(f"/keys/{unknown}/revoke").status_code == 404


def test_a_key_is_shown_once_and_kept_as_a_hash(login_as, labour):
    browser = login_as("manager")
    sent = {"name": "Vazirlik tizimi", "scope": ["appeals:read"], "department": str(labour.id)}
    shown = browser.send("/keys", **sent, ends="31.12.2099").text
    secret = re.search(r'id="secret">([^<]+)<', shown)
    assert secret
    key = AccessKey.get()
    assert keys.find(secret[1]) is None  # before the second person's word
    assert login_as("supervisor").send(f"/keys/{key.id}/confirm").status_code == 302
    assert keys.find(secret[1]) == key
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
        page = browser.refused(browser.send("/keys", **(sent | {"name": "Boshqa"} | wrong)))
        assert 'role="alert"' in page
    assert browser.send(f"/keys/{key.id}/revoke").status_code == 302
    assert keys.find(secret[1]) is None
    told = [e.action for e in AuditEntry.select() if e.action.startswith("key.")]
    assert told == ["key.make", "key.confirm", "key.revoke"]


def test_a_key_ends_by_itself(settings, monkeypatch):
    ends = clock.now() + dt.timedelta(hours=1)
    secret = key_in_force("reports:read", ends_at=ends)
    assert keys.find(secret)
    monkeypatch.setattr(clock, "now", lambda: ends)
    assert keys.find(secret) is None


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_is_left_in_english(login_as, register, bahodir, sherzod, locale):
    english = {m.id for m in translations.extracted() if isinstance(m.id, str) and m.id}
    same = {m.id for m in translations.read(locale) if m.id and m.string == m.id}
    User.update(language=locale).execute()
    number = register(consultation="1").number
    key_in_force()
    keys.make("Boshqa", keys.SCOPES, department=None, ends_at=None, by=sherzod)
    for who, paths in {
        "bahodir": ["/appeals", "/appeals/statistics", f"/appeals/{number}", "/keys"],
        "dilnoza": [f"/appeals/{number}/correct", "/appeals?q=ab", "/keys"],
        "sherzod": ["/departments", "/keys"],
        "nilufar": ["/operator", f"/appeals/{number}", "/appeals/mine?q=1"],
    }.items():
        browser = login_as(who)
        for path in paths:
            found = Texts(browser.get(path).text).found
            assert found & (english - same) == set(), path


def test_the_card_shows_what_was_typed_beside_what_was_put_right(ministry, register):
    appeal = register(passport="ав1234567", surname="Yo'ldosheva")
    page = ministry.get(f"/appeals/{appeal.number}").text
    assert "AB1234567" in page
    assert "yozilgani: ав1234567" in page
    assert "Yoʻldosheva" in page
    assert "yozilgani: Yo" not in page


# the term, and the next one


def card_of(browser: Browser, appeal: Appeal) -> str:
    return browser.get(f"/appeals/{appeal.number}").text


def choices(page: str) -> list[str]:
    return re.findall(r'type="radio" name="action" value="(\w+)"', page)


def test_extending_shows_the_new_date_before_it_is_done(at_noon, ministry, register):
    appeal = register()
    page = card_of(ministry, appeal)
    assert "extend" in choices(page)
    offered = page.split('class="for-extend moved"')[1].split("</p>")[0]
    assert "03.12.2026" in offered
    assert "18.12.2026" in offered
    assert "28.11.2026" in page  # until when an explanation would be due
    step(ministry, appeal, "extend", text="Tekshiruv kerak")
    assert Handling.get_by_id(appeal.id).due_on == dt.date(2026, 12, 18)


def test_extending_is_offered_only_where_the_law_allows_it(
    at_noon, ministry, login_as, register, monkeypatch
):
    overdue, longest = register(), register(surname="Karimov")
    for _ in range(2):
        step(ministry, longest, "extend", text="Tekshiruv kerak")
    assert "extend" not in choices(card_of(ministry, longest))
    later = at_noon + dt.timedelta(days=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    browser = login_as("ministry")
    page = card_of(browser, overdue)
    assert "answer" in choices(page)
    assert "extend" not in choices(page)
    refused = browser.refused(step(browser, overdue, "extend", text="Kech"))
    assert "Muddat oʻtib boʻlgan" in refused
    assert "Kech" in refused


def test_after_an_answer_the_next_overdue_one_is_offered(at_noon, ministry, register):
    done, colleagues, following, _fresh = (register(surname=f"S{n}") for n in range(4))
    Handling.update(due_on=dt.date(2026, 11, 10)).where(Handling.appeal == following).execute()
    Handling.update(due_on=dt.date(2026, 11, 2)).where(Handling.appeal == colleagues).execute()
    handling.take(colleagues, "gulnora", 1)
    assert 'data-does="following"' not in card_of(ministry, done)
    step(ministry, done, "answer", text="Javob")
    offered = card_of(ministry, done).split('data-does="following"')[1].split("</a>")[0]
    assert following.number in offered
    step(ministry, following, "answer", text="Javob")
    # one that is not overdue and a colleague's are left
    assert 'data-does="following"' not in card_of(ministry, following)


def test_a_form_sent_in_place_is_told_where_it_leads(ministry, register):
    appeal = register()
    sent = {"action": "take", "version": 1, "csrf_token": ministry.token()}
    steps = f"/appeals/{appeal.number}/steps"
    answer = ministry.post(steps, data=sent, headers={"Accept": "application/json"})
    assert answer.json == {"there": f"/appeals/{appeal.number}"}
    late = ministry.post(steps, data=sent, headers={"Accept": "application/json"})
    assert late.json["there"].startswith(f"/appeals/{appeal.number}?refused=")
