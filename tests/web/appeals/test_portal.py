"""The ministry's pages by their responses: who sees which appeals, which steps, which downloads."""

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
from tests.rig.appeals import FULL_FORM
from tests.rig.browser import Browser
from tests.rig.programs import confirmed_key
from tests.web.shell.test_languages import VisibleTexts

LOCALES = ("uz_Latn", "uz_Cyrl", "ru")


@pytest.fixture
def ministry(login_as) -> Browser:
    """Bahodir's browser."""
    return login_as("bahodir")


def send_step(
    browser: Browser, appeal: Appeal, action: str, version: int | None = None, **sent: str
):
    """Send the step form of the card, with the current version or an older one."""
    version = version or Handling.get_by_id(appeal.id).version
    return browser.send(f"/appeals/{appeal.number}/steps", action=action, version=version, **sent)


def handling_state(appeal: Appeal) -> str:
    return Handling.get_by_id(appeal.id).state


# the list


def test_the_list_shows_open_appeals_and_others_by_filter(ministry, register):
    answered, open_appeal = (
        register(),
        register(surname="Karimov", direction="training", region="1703"),
    )
    send_step(ministry, answered, "answer", text="Javob")
    page = ministry.get("/appeals").text
    assert open_appeal.number in page
    assert answered.number not in page
    assert answered.number in ministry.get("/appeals?state=answered").text
    full_list = ministry.get("/appeals/list?all=1").text
    assert answered.number in full_list
    assert open_appeal.number in full_list
    assert answered.number not in ministry.get("/appeals?all=1&region=1703&since=01.01.2020").text
    assert (
        answered.number
        in ministry.get("/appeals?all=1&department=1&district=1718236&region=1718").text
    )


def test_search_matches_in_any_script(ministry, register):
    matching, unrelated = register(), register(surname="Karimov", gist="Boshqa", phone="901112233")
    for typed in ("Йўлдошева", "yoldosheva", matching.number, "5550147"):
        page = ministry.get("/appeals", query_string={"q": typed}).text
        assert matching.number in page, typed
        assert (unrelated.number in page) == (typed == ""), typed
    assert "Kamida uchta" in ministry.get("/appeals?q=ab").text


def test_invalid_query_parameters_are_ignored(ministry, register):
    appeal = register()
    query = "/appeals?state=x&when=y&department=z&since=31.02.2026&page=-4&region=%27&q=%22%22"
    assert ministry.get(query).status_code == 200
    assert appeal.number in ministry.get("/appeals?page=0").text
    huge = "9" * 30
    for query in (
        f"page={huge}",
        f"department={huge}",
        "endpoint=x&_scheme=y",
        "q=" + "abc+" * 999,
    ):
        assert ministry.get(f"/appeals?{query}").status_code == 200, query
    assert 'role="alert"' in ministry.refused_page(
        send_step(ministry, appeal, "take", version=int(huge))
    )


def test_a_department_sees_only_its_own_appeals_everywhere(
    ministry, register, labour, law, bahodir, settings
):
    own_appeal, other = register(), register(direction="training")
    staff.assign_department(bahodir, labour.id, by="sherzod")
    for path in ("/appeals", "/appeals/list?all=1", "/appeals/appeals.csv", "/appeals?q=tikuv"):
        with ministry.get(path) as answer:
            assert own_appeal.number in answer.text
            assert other.number not in answer.text, path
    assert ministry.get(f"/appeals/{other.number}").status_code == 404
    assert ministry.get(f"/appeals/{other.number}/history").status_code == 404
    assert send_step(ministry, other, "take").status_code == 404
    assert handling_state(other) == "registered"
    sent = send_step(ministry, own_appeal, "forward", text="Ularga", department=str(law.id))
    assert sent.headers["Location"] == "/appeals"  # it is no longer theirs
    assert ministry.get(f"/appeals/{own_appeal.number}").status_code == 404


# the card


def test_each_step_can_be_taken_on_the_page(ministry, register, law):
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
        assert send_step(ministry, appeal, action, **sent).status_code == 302, action
    card = ministry.get(f"/appeals/{appeal.number}").text
    for text in ("Hal qilindi", "Tekshiruv kerak", "Bandlik boshqarmasi: Yuridik boʻlim"):
        assert text in card
    assert AuditEntry.select().where(AuditEntry.action == "appeal.view").count() == 2


def test_a_refused_step_keeps_the_text(ministry, register):
    appeal = register()
    handling.take_over(appeal, "gulnora", 1)
    late = send_step(ministry, appeal, "answer", version=1, text="Uzun javob matni")
    page = ministry.refused_page(late)
    assert "Uzun javob matni" in page
    assert "Boshqa xodim avvalroq bajardi" in page
    accepted_late = send_step(ministry, appeal, "answer", text="Uzun javob matni")
    assert (accepted_late.status_code, handling_state(appeal)) == (303, "taken")
    assert send_step(ministry, appeal, "forward", text="x", department="999").status_code == 303
    assert send_step(ministry, appeal, "burn", text="x").status_code == 400
    assert send_step(ministry, appeal, "correct", text="x").status_code == 400


def test_leads_read_appeals_but_take_no_steps(login_as, register):
    appeal = register()
    for role in ("supervisor", "manager"):
        browser = login_as(role)
        assert 'id="todo"' not in browser.get(f"/appeals/{appeal.number}").text
        assert send_step(browser, appeal, "take").status_code == 403


# correcting


def send_correction(browser: Browser, appeal: Appeal, **values: str):
    version = Handling.get_by_id(appeal.id).version
    path = f"/appeals/{appeal.number}/correct"
    return browser.send(path, path, version=version, **(FULL_FORM | values))


def test_an_appeal_returns_to_the_operator_and_back_to_the_ministry(ministry, login_as, register):
    appeal, operator = register(), login_as("nilufar")
    send_step(ministry, appeal, "return", text="Uy raqami xato")
    for path in ("/operator", "/operator/card", "/appeals/returned"):
        page = operator.get(path).text
        assert appeal.number in page
        assert "Uy raqami xato" in page
    assert "Uy raqami xato" in operator.get(f"/appeals/{appeal.number}/correct").text
    assert send_correction(operator, appeal, address="Navroʻz, 13-uy").status_code == 302
    assert handling_state(appeal) == "taken"
    assert appeal.number not in operator.get("/appeals/returned").text
    card = ministry.get(f"/appeals/{appeal.number}").text
    assert "Navroʻz koʻchasi, 12-uy / Navroʻz, 13-uy" in card
    assert "Nilufar Karimova" in card


def test_supervisors_and_the_registering_operator_may_correct(login_as, register, nilufar):
    appeal = register()
    assert send_correction(login_as("supervisor"), appeal, gist="Nazoratchi").status_code == 302
    assert login_as("sardor").get(f"/appeals/{appeal.number}/correct").status_code == 404
    for role in ("manager", "ministry", "technician"):
        assert login_as(role).get(f"/appeals/{appeal.number}/correct").status_code == 403
    assert Appeal.get_by_id(appeal.id).gist == "Nazoratchi"


def test_an_outdated_correction_keeps_what_was_typed(login_as, register):
    appeal, browser = register(), login_as("supervisor")
    path = f"/appeals/{appeal.number}/correct"
    late = browser.send(path, path, version=9, **(FULL_FORM | {"gist": "Kech keldi"}))
    assert "Kech keldi" in browser.refused_page(late)


def test_contacted_specialists_are_recorded(ministry, login_as, register):
    appeal, earlier = register(consultation="1"), register(gist="Avvalgi")
    card = f"/appeals/{appeal.number}"
    for browser, contact in ((ministry, "A. Sobirov"), (login_as("nilufar"), "B. Olimova")):
        page = browser.get(card).text
        assert 'name="contact"' in page
        assert earlier.number in page  # another appeal of the same applicant
        version = Handling.get_by_id(appeal.id).version
        sent = browser.send(f"{card}/contacted", version=version, contact=contact)
        assert sent.status_code == 302
    assert "A. Sobirov; B. Olimova" in ministry.get(card).text
    late = ministry.send(f"{card}/contacted", version=1, contact="C. Kech")
    assert "C. Kech" in ministry.refused_page(late)
    assert login_as("sardor").send(f"{card}/contacted", version=3, contact="x").status_code == 404


# downloads


def download_table(browser: Browser, path: str = "/appeals/appeals.csv") -> list[list[str]]:
    with browser.get(path) as answer:
        return list(csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")), delimiter=";"))


def test_the_table_has_what_the_role_may_see(ministry, login_as, register):
    register(gist="=HYPERLINK(1)", first_name="@Gulchehra")
    head, row = download_table(ministry)
    cells = dict(zip(head, row, strict=True))
    assert cells["Telefon"] == "998 93 555 01 47"
    assert (cells["Ism"], cells["Murojaat mazmuni"]) == ("'@Gulchehra", "'=HYPERLINK(1)")
    assert cells["Mahalla"] == "Koʻktepa yangi"
    assert cells["Boʻlim"] == "Bandlik boshqarmasi"
    assert not {"Passport", "JSHSHIR (PINFL)"} & set(head)
    head, row = download_table(login_as("supervisor"))
    assert not {"Ism", "Familiya", "Telefon", "Manzil", "Mahalla"} & set(head)
    assert "Gulchehra" not in "".join(row)
    assert AuditEntry.select().where(AuditEntry.action == "appeals.download").count() == 2


def test_the_table_has_the_filters_of_the_list(ministry, register):
    answered, open_appeal = register(), register(direction="training")
    send_step(ministry, answered, "answer", text="Javob")
    assert [row[0] for row in download_table(ministry)[1:]] == [open_appeal.number]
    everything = download_table(ministry, "/appeals/appeals.csv?all=1")
    assert [row[0] for row in everything[1:]] == [answered.number, open_appeal.number]


def test_statistics_link_to_their_appeals(ministry, register):
    appeal = register()
    # Appeals registered after hours count from the next working day.
    page = ministry.get("/appeals/statistics?since=01.01.2020&until=31.12.2099").text
    links = re.findall(r'href="(/appeals\?[^"]+)"', page)
    assert any("region=1718" in link for link in links)
    for link in links:
        if "state=registered" in link or "region=1718" in link:
            assert appeal.number in ministry.get(link.replace("&amp;", "&")).text, link
    assert ministry.get("/appeals/statistics?since=x&until=y").status_code == 200


# departments and keys


def test_the_manager_edits_the_departments(login_as, bahodir, labour):
    browser = login_as("manager")
    names = {"name_uz_latn": "Devonxona", "name_uz_cyrl": "Девонхона"}
    assert browser.send("/departments", **names, own_body="on").status_code == 302
    assert 'value="Devonxona"' in browser.refused_page(browser.send("/departments", **names))
    department = Department.get(Department.code == "devonxona")
    assert (department.own_body, department.name_uz_cyrl) == (True, "Девонхона")
    changed = {"name_uz_latn": "Devonxona", "name_ru": "Канцелярия", "active": "on"}
    browser.send(f"/departments/{department.id}", **changed)
    assert Department.get_by_id(department.id).name_ru == "Канцелярия"
    browser.send("/departments/routes", **{"direction-training": str(department.id)})
    # the other direction was left empty
    assert departments.department_ids_by_direction() == {"training": department.id}
    browser.send("/departments/members", **{f"user-{bahodir.id}": str(department.id)})
    assert accounts.department_of(bahodir) == department.id
    for unknown in ("999", "9" * 30):
        assert browser.send(f"/departments/{unknown}", **names).status_code == 404
        assert browser.send(f"/keys/{unknown}/revoke").status_code == 404


def test_a_key_is_shown_once_and_stored_as_a_hash(login_as, labour):
    browser = login_as("manager")
    sent = {"name": "Vazirlik tizimi", "scope": ["appeals:read"], "department": str(labour.id)}
    key_page = browser.send("/keys", **sent, ends="31.12.2099").text
    secret = re.search(r'id="secret">([^<]+)<', key_page)
    assert secret
    key = AccessKey.get()
    assert keys.find_valid_key(secret[1]) is None  # before a second person has confirmed it
    assert login_as("supervisor").send(f"/keys/{key.id}/confirm").status_code == 302
    assert keys.find_valid_key(secret[1]) == key
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
        page = browser.refused_page(browser.send("/keys", **(sent | {"name": "Boshqa"} | wrong)))
        assert 'role="alert"' in page
    assert browser.send(f"/keys/{key.id}/revoke").status_code == 302
    assert keys.find_valid_key(secret[1]) is None
    actions = [e.action for e in AuditEntry.select() if e.action.startswith("key.")]
    assert actions == ["key.make", "key.confirm", "key.revoke"]


def test_a_key_expires(settings, monkeypatch):
    ends = clock.now() + dt.timedelta(hours=1)
    secret = confirmed_key("reports:read", ends_at=ends)
    assert keys.find_valid_key(secret)
    monkeypatch.setattr(clock, "now", lambda: ends)
    assert keys.find_valid_key(secret) is None


@pytest.mark.parametrize("locale", LOCALES)
def test_no_text_remains_in_english(login_as, register, bahodir, sherzod, locale):
    english = {m.id for m in translations.extract_texts() if isinstance(m.id, str) and m.id}
    unchanged_texts = {
        m.id for m in translations.read_catalogue(locale) if m.id and m.string == m.id
    }
    User.update(language=locale).execute()
    number = register(consultation="1").number
    confirmed_key()
    keys.create_key("Boshqa", keys.SCOPES, department=None, ends_at=None, by=sherzod)
    for who, paths in {
        "bahodir": ["/appeals", "/appeals/statistics", f"/appeals/{number}", "/keys"],
        "dilnoza": [f"/appeals/{number}/correct", "/appeals?q=ab", "/keys"],
        "sherzod": ["/departments", "/keys"],
        "nilufar": ["/operator", f"/appeals/{number}", "/appeals/mine?q=1"],
    }.items():
        browser = login_as(who)
        for path in paths:
            texts = VisibleTexts(browser.get(path).text).texts
            assert texts & (english - unchanged_texts) == set(), path


def test_the_card_shows_corrected_values_with_what_was_typed(ministry, register):
    appeal = register(passport="ав1234567", surname="Yo'ldosheva")
    page = ministry.get(f"/appeals/{appeal.number}").text
    assert "AB1234567" in page
    assert "yozilgani: ав1234567" in page
    assert "Yoʻldosheva" in page
    assert "yozilgani: Yo" not in page


def test_the_direction_is_not_printed_with_the_form(ministry, register):
    page = ministry.get(f"/appeals/{register().number}").text
    assert re.findall(r'<div class="screen-only">\n<dt>(.+?)</dt>', page) == ["Murojaat yoʻnalishi"]


# the deadline, and the next overdue appeal


def card_page(browser: Browser, appeal: Appeal) -> str:
    return browser.get(f"/appeals/{appeal.number}").text


def offered_actions(page: str) -> list[str]:
    return re.findall(r'type="radio" name="action" value="(\w+)"', page)


def test_the_new_deadline_is_shown_before_extending(at_noon, ministry, register):
    appeal = register()
    page = card_page(ministry, appeal)
    assert "extend" in offered_actions(page)
    offered = page.split('class="for-extend moved"')[1].split("</p>")[0]
    assert "03.12.2026" in offered
    assert "18.12.2026" in offered
    assert "28.11.2026" in page  # the date by which an explanation would be due
    send_step(ministry, appeal, "extend", text="Tekshiruv kerak")
    assert Handling.get_by_id(appeal.id).due_on == dt.date(2026, 12, 18)


def test_an_extension_is_offered_only_where_the_law_allows_it(
    at_noon, ministry, login_as, register, monkeypatch
):
    overdue, longest = register(), register(surname="Karimov")
    for _ in range(2):
        send_step(ministry, longest, "extend", text="Tekshiruv kerak")
    assert "extend" not in offered_actions(card_page(ministry, longest))
    later = at_noon + dt.timedelta(days=16)
    monkeypatch.setattr(clock, "now", lambda: later)
    browser = login_as("ministry")
    page = card_page(browser, overdue)
    assert "answer" in offered_actions(page)
    assert "extend" not in offered_actions(page)
    refused = browser.refused_page(send_step(browser, overdue, "extend", text="Kech"))
    assert "Muddat oʻtib boʻlgan" in refused
    assert "Kech" in refused


def test_after_an_answer_the_next_overdue_appeal_is_offered(at_noon, ministry, register):
    done, colleagues, following, _fresh = (register(surname=f"S{n}") for n in range(4))
    Handling.update(due_on=dt.date(2026, 11, 10)).where(Handling.appeal == following).execute()
    Handling.update(due_on=dt.date(2026, 11, 2)).where(Handling.appeal == colleagues).execute()
    handling.take_over(colleagues, "gulnora", 1)
    assert 'data-does="following"' not in card_page(ministry, done)
    send_step(ministry, done, "answer", text="Javob")
    offered = card_page(ministry, done).split('data-does="following"')[1].split("</a>")[0]
    assert following.number in offered
    send_step(ministry, following, "answer", text="Javob")
    # only an appeal that is not overdue and a colleague's remain
    assert 'data-does="following"' not in card_page(ministry, following)


def test_a_form_sent_by_script_receives_the_next_address(ministry, register):
    appeal = register()
    sent = {"action": "take", "version": 1, "csrf_token": ministry.token()}
    steps = f"/appeals/{appeal.number}/steps"
    answer = ministry.post(steps, data=sent, headers={"Accept": "application/json"})
    assert answer.json == {"there": f"/appeals/{appeal.number}"}
    late = ministry.post(steps, data=sent, headers={"Accept": "application/json"})
    assert late.json["there"].startswith(f"/appeals/{appeal.number}?refused=")
