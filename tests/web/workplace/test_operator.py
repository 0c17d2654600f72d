"""The workplace by its responses: what is saved, doubted and registered, and who may see it."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from appliance.casework import catalogs
from appliance.casework.appeals.desk import current_desk
from appliance.casework.forms import drafts
from appliance.models import Appeal, AuditEntry, Draft, Handling, User
from appliance.pbx import actions
from appliance.people import accounts, presence
from appliance.telephony import directory
from tests.rig.browser import Browser
from tests.rig.citizen import CITIZEN_NUMBER, Citizen

LOCALES = ("uz_Latn", "uz_Cyrl", "ru")
FORM_VALUES = {"applicant_kind": "person", "first_name": "Aziza", "phone": "93 555 01 47"}


@pytest.fixture
def browser(login_as) -> Browser:
    """Nilufar's browser, signed in."""
    return login_as("nilufar")


def post_json(browser: Browser, path: str, **sent: Any) -> TestResponse:
    """Post JSON, as the page's script does."""
    return browser.post(path, json=sent, headers={"X-CSRFToken": browser.token("/operator")})


@pytest.fixture
def call(nilufar: User) -> Citizen:
    """A call on which Nilufar is talking."""
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    return citizen


@pytest.fixture
def token(nilufar: User, call: Citizen) -> str:
    """The token of Nilufar's form for the call."""
    desk = current_desk(nilufar, call.facts.arrived_at)
    assert desk
    return desk.token


# the desk


def test_between_calls_the_operators_day_is_shown(browser):
    page = browser.get("/operator").text
    assert 'id="form"' not in page
    assert "Mening kunim" in page


def test_the_day_shows_how_many_calls_are_registered(browser, token):
    def call_forms_tile() -> list[str]:
        day = browser.get("/operator/day").text
        tile = re.search(
            r'#call_forms">.*?</dt>\s*<dd>(\d+)\b.*?</dd>\s*<dd class="sub">(.+?)</dd>', day
        )
        assert tile
        return list(tile.groups())

    assert call_forms_tile() == ["0", "1 qoʻngʻiroqdan"]
    post_json(browser, f"/operator/forms/{token}/register-call", values={"gist": "Ish soʻradi"})
    assert call_forms_tile() == ["1", "1 qoʻngʻiroqdan"]


def test_a_ringing_call_opens_its_form_with_the_number(browser, nilufar):
    Citizen("1764000000.1").ring_operator(nilufar)
    assert "+998\xa093\xa0555\xa001\xa047" in browser.get("/operator/card").text
    assert 'value="+998 93 555 01 47"' in browser.get("/operator/card?shows=1").text
    assert 'data-stage="ringing"' in browser.get("/operator/bar").text


def test_the_bar_names_no_form_once_the_call_is_registered(browser, token):
    assert f'data-form="{token}"' in browser.get("/operator/bar").text
    post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES)
    assert 'data-form=""' in browser.get("/operator/bar").text
    assert 'id="form"' not in browser.get("/operator/card").text


def test_nobody_takes_the_token_of_anothers_form(browser, token, nilufar, login_as):
    """A form's token follows from its call: another user's draft would lock its operator out."""
    new_token = browser.get("/operator/forms/new").headers["Location"].rpartition("/")[2]
    post_json(browser, f"/operator/forms/{new_token}", form="1", values=FORM_VALUES)
    assert Draft.get(Draft.token == new_token).operator == nilufar
    other = login_as("sardor")
    for name in (token, new_token, "hotline-9.9-1-0"):
        for step in ("", "/register", "/register-call", "/add"):
            sent = {"values": FORM_VALUES, "form": "1", "appeal": "2026-000001"}
            answer = post_json(other, f"/operator/forms/{name}{step}", **sent)
            assert answer.status_code == 404, (name, step)
    assert {draft.operator_id for draft in Draft.select()} == {nilufar.id}
    assert not Appeal.select().exists()
    for name in (token, new_token):
        assert (
            post_json(browser, f"/operator/forms/{name}/register", values=FORM_VALUES).status_code
            == 200
        )
    assert [appeal.operator for appeal in Appeal.select()] == [nilufar, nilufar]


def test_a_hidden_number_is_shown_as_such_and_fills_nothing(browser, nilufar):
    Citizen("1764000000.1", phone=None).ring_operator(nilufar)
    page = browser.get("/operator/card?shows=1").text
    assert "yashirin raqam" in browser.get("/operator").text
    assert re.search(r'name="phone"\s+value=""', page)


def test_the_dialled_number_is_the_diverted_one(browser, nilufar):
    Citizen("1764000000.1", diverted="+998712000600").ring_operator(nilufar)
    assert "+998\xa071\xa0200\xa006\xa000" in browser.get("/operator/bar").text


@pytest.mark.parametrize(
    ("locale", "labels"),
    [
        (
            "uz_Latn",
            [
                *("Murojaat raqami", "Murojaatchi turi", "Murojaat turi", "Ism", "Familiya"),
                *("Qoʻngʻiroq turi", "Hudud", "Shahar (tuman)", "Mahalla", "Manzil", "Passport"),
                *("JSHSHIR (PINFL)", "Jins", "Tugʻilgan sana", "Qaysi guruhga mansubligi"),
                *("Telefon", "Qoʻlingizdagi telefon raqam", "Ish bilan bandligi"),
                *("Murojaat ochiqligi", "Murojaat yoʻnalishi", "Murojaat mazmuni"),
            ],
        ),
        (
            "uz_Cyrl",
            [
                *("Мурожаат рақами", "Мурожаатчи тури", "Мурожаат тури", "Исм", "Фамилия"),
                *("Қўнғироқ тури", "Ҳудуд", "Шаҳар (туман)", "Маҳалла", "Манзил", "Паспорт"),
                *("ЖШШИР (ПИНФЛ)", "Жинс", "Туғилган сана", "Қайси гуруҳга мансублиги"),
                *("Телефон", "Қўлингиздаги телефон рақам", "Иш билан бандлиги"),
                *("Мурожаат очиқлиги", "Мурожаат йўналиши", "Мурожаат мазмуни"),
            ],
        ),
        (
            "ru",
            [
                *("Номер обращения", "Вид заявителя", "Вид обращения", "Имя", "Фамилия"),
                *("Вид звонка", "Регион", "Город (район)", "Махалля", "Адрес", "Паспорт"),
                *("ПИНФЛ", "Пол", "Дата рождения", "К какой группе относится", "Телефон"),
                *("Контактный телефон (под рукой)", "Занятость", "Открытость обращения"),
                *("Направление обращения", "Содержание обращения"),
            ],
        ),
    ],
)
def test_form_1_has_its_fields_in_their_order(browser, nilufar, call, locale, labels):
    accounts.choose_language(nilufar, locale)
    page = browser.get("/operator/card?shows=1").text
    form = page[page.index('<div class="form"') :]
    places = [form.find(f">{label}") for label in labels]
    assert -1 not in places, labels[places.index(-1)]
    assert places == sorted(places)


def test_a_talk_continues_during_a_consultation_and_reports_its_failure(
    browser, nilufar, token, call, monkeypatch
):
    directory.save_employee(directory.DirectoryEntry("Lola Rashidova", "712390101"), "rustam")
    talk_start = call.facts.talks[0].started_at.isoformat(timespec="seconds")
    post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES)
    call.start_transfer("+998712390101")
    line = actions.Line("consulting", call.facts.id, "+998712390101")
    with monkeypatch.context() as exchange:
        exchange.setattr(actions, "phone_line", lambda *_of: line)
        bar = browser.get("/operator/bar").text
    assert "Lola Rashidova" in bar
    assert 'value="back" data-key="F8"' in bar  # already registered, and still the current call
    assert f'datetime="{talk_start}"' in bar
    call.return_from_transfer("busy")
    bar = browser.get("/operator/bar").text
    assert 'role="alert"' in bar
    assert "Lola Rashidova: Band" in bar
    assert f'datetime="{talk_start}"' in bar
    call.start_transfer("+998712390101")
    call.return_from_transfer("answered")
    assert "Lola" not in browser.get("/operator/bar").text


@pytest.mark.parametrize("path", ["/operator", "/followups", "/account"])
def test_every_page_shows_the_current_call_the_state_and_transfers(browser, call, path):
    page = browser.get(path).text
    for element in ('id="bar"', 'id="state"', 'id="passing"', 'id="paused"', 'data-title="Suhbat"'):
        assert page.count(element) == 1, element
    assert "+998 93 555 01 47" in page.replace("\xa0", " ")


def test_the_card_of_an_appeal_shows_the_current_call(browser, token):
    url = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json["url"]
    for page in (browser.get(url).text, browser.get(f"{url}/correct").text):
        assert 'class="callbar"' in page


def test_other_roles_have_no_call_bar(login_as, call):
    page = login_as("supervisor").get("/followups").text
    assert 'id="bar"' not in page
    assert "callbar.css" not in page


# saving


def test_typed_values_are_saved_and_doubts_explained(browser, token, nilufar):
    answer = post_json(
        browser, f"/operator/forms/{token}", values=FORM_VALUES | {"pinfl": "123", "evil": "x"}
    )
    assert answer.json["doubts"] == {"pinfl": "14 ta raqam kerak"}
    assert answer.json["empty"][:2] == ["appeal_type", "surname"]
    assert "ogohlantirish" in answer.json["summary"]
    assert drafts.find_draft(nilufar, token).values == FORM_VALUES | {"pinfl": "123"}
    page = browser.get("/operator").text
    assert 'value="Aziza"' in page
    assert '<label for="f-appeal_type"' in page[page.index('id="form-summary"') :]


@pytest.mark.parametrize("locale", LOCALES)
def test_a_choice_is_shown_in_the_language_of_the_page(browser, nilufar, token, locale):
    post_json(browser, f"/operator/forms/{token}", values={"region": "1718", "group": "youth"})
    accounts.choose_language(nilufar, locale)
    page = browser.get("/operator").text
    region = {"uz_Latn": "Samarqand viloyati", "uz_Cyrl": "Самарқанд вилояти"}
    assert region.get(locale, "Самаркандская область") in page
    assert catalogs.value_label("group", "youth", locale) in page


@pytest.mark.parametrize("sent", [{}, {"values": []}, {"values": {"gist": 1}}])
def test_an_invalid_form_is_refused_and_changes_nothing(browser, token, sent):
    assert post_json(browser, f"/operator/forms/{token}", **sent).status_code == 422
    assert Draft.select().count() == 0


def test_saving_a_registered_form_returns_its_number(browser, token):
    number = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json[
        "number"
    ]
    answer = post_json(browser, f"/operator/forms/{token}", values=FORM_VALUES)
    assert (answer.status_code, answer.json["number"]) == (409, number)


def test_a_lost_session_keeps_the_draft_for_the_next(browser, client, token, nilufar):
    post_json(browser, f"/operator/forms/{token}", values=FORM_VALUES)
    assert client.post(f"/operator/forms/{token}", json={"values": {}}).status_code in (400, 401)
    assert drafts.find_draft(nilufar, token).values == FORM_VALUES


# registering


def test_an_appeal_belongs_to_its_call_and_is_registered_once(browser, token, call):
    first = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json
    again = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json
    assert first == again
    appeal = Appeal.get()
    assert (appeal.call_id, appeal.phone) == (call.facts.id, CITIZEN_NUMBER)
    assert "surname:empty" in appeal.warnings


def test_another_operators_form_is_not_found(login_as, token, call):
    sardor = login_as("sardor")
    assert (
        post_json(sardor, f"/operator/forms/{token}/register", values=FORM_VALUES).status_code
        == 404
    )
    assert not Appeal.select().exists()


def test_a_second_form_of_the_call_can_be_opened(browser, token, call):
    post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES)
    new_form = browser.get("/operator/forms/new", follow_redirects=True)
    assert call.facts.id in new_form.request.path
    assert 'id="form"' in new_form.text


def test_after_registering_the_caller_the_number_and_the_deadline_are_shown(browser, token, call):
    number = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json[
        "number"
    ]
    due = Handling.get().due_on
    for path in (f"/operator/registered/{number}", "/operator", "/operator/card"):
        page = browser.get(path).text
        assert 'id="caller-name"' in page
        assert f"{due:%d.%m.%Y}" in page
        assert page.count(f">{number}</a></p>") == 1
    assert "Mening kunim" in browser.get("/operator/day").text
    call.hang_up()
    another = browser.get(f"/operator/forms/new?after={number}", follow_redirects=True)
    assert call.facts.id in another.request.path


def test_another_operator_does_not_see_the_registered_appeal(browser, login_as, token):
    number = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json[
        "number"
    ]
    sardor = login_as("sardor")
    for path in ("registered/{}", "card?registered={}", "forms/new?after={}"):
        assert sardor.get(f"/operator/{path.format(number)}").status_code == 404


def test_a_form_without_a_call_is_saved_and_discarded(browser):
    new_form = browser.get("/operator/forms/new", follow_redirects=True)
    token = new_form.request.path.rsplit("/", 1)[1]
    post_json(browser, f"/operator/forms/{token}", values=FORM_VALUES)
    assert 'value="Aziza"' in browser.get(f"/operator/forms/{token}").text
    assert f"/operator/forms/{token}" in browser.get("/operator").text
    post_json(browser, f"/operator/forms/{token}/discard")
    assert f"/operator/forms/{token}" not in browser.get("/operator").text


def test_a_known_number_offers_its_earlier_values(browser, nilufar, token, call):
    values = FORM_VALUES | {"surname": "Karimova", "region": "1718", "group": "youth"}
    post_json(browser, f"/operator/forms/{token}/register", values=values)
    call.hang_up()
    Citizen("1764000000.2").ring_operator(nilufar)
    page = browser.get("/operator").text
    assert "data-fill=" in page
    assert "Aziza Karimova" in page
    assert "&#34;region_text&#34;: &#34;Samarqand viloyati&#34;" in page
    assert "2-qoʻngʻiroq" in page


# the appeal


@pytest.mark.parametrize("locale", LOCALES)
def test_the_appeal_shows_what_was_registered(browser, nilufar, token, locale):
    values = FORM_VALUES | {"gist": "Subsidiya", "pinfl": "123", "consultation": "1"}
    url = post_json(browser, f"/operator/forms/{token}/register", values=values).json["url"]
    accounts.choose_language(nilufar, locale)
    page = browser.get(url).text
    operator = accounts.display_name(nilufar, locale)
    for text in ("Aziza", "Subsidiya", "+998\xa093\xa0555\xa001\xa047", operator):
        assert text in page
    assert AuditEntry.select().where(AuditEntry.action == "appeal.view").count() == 1


def test_only_permitted_users_see_an_appeal(browser, login_as, token):
    url = post_json(browser, f"/operator/forms/{token}/register", values=FORM_VALUES).json["url"]
    assert login_as("supervisor").get(url).status_code == 200
    assert login_as("sardor").get(url).status_code == 404
    assert login_as("ministry").get(url).status_code == 200
    assert login_as("technician").get(url).status_code == 403


# the state, the call


def test_a_state_is_saved_when_the_exchange_does_not_answer(browser, nilufar):
    answer = post_json(browser, "/operator/state", state="ready")
    assert "stansiyasi javob bermayapti" in answer.json["trouble"]
    assert presence.state_of(nilufar).state == "ready"
    assert "Tayyor" in browser.get("/operator/state").text


def test_a_state_is_saved_when_the_exchange_refuses_it(browser, nilufar, monkeypatch):
    def refuse(_settings):
        raise actions.ActionRefused("QueueAdd: no such queue")

    monkeypatch.setattr(actions.states, "apply_states", refuse)
    answer = post_json(browser, "/operator/state", state="ready")
    assert "stansiyasi javob bermayapti" in answer.json["trouble"]
    assert presence.state_of(nilufar).state == "ready"


def test_an_unknown_state_is_refused(browser):
    assert post_json(browser, "/operator/state", state="asleep").status_code == 422


def test_a_failed_hang_up_is_explained(browser, nilufar):
    assert "tugagan" in post_json(browser, "/operator/hang-up").json["trouble"]
    Citizen("1764000000.1").ring_operator(nilufar)
    assert "stansiyasi javob bermayapti" in post_json(browser, "/operator/hang-up").json["trouble"]


# choices


@pytest.mark.parametrize("typed", ["urgu", "Ургу", "ургут"])
def test_choices_include_the_parent_place_and_the_match(browser, typed):
    urgut, *_ = browser.get(f"/choices/district?q={typed}").json
    assert urgut["name"] == "Urgut tumani"
    assert urgut["match"] == [0, len(typed)]
    assert urgut["fills"]["region"] == {"code": "1718", "name": "Samarqand viloyati"}


def test_choices_are_limited_to_a_place(browser):
    names = [o["name"] for o in browser.get("/choices/district?region=1726").json]
    assert len(names) == 12
    assert browser.get("/choices/mahalla?q=x&district=1718236").json == []
    assert len(browser.get("/choices/region").json) == 14


def test_choices_of_a_catalog_are_translated(browser, nilufar):
    accounts.choose_language(nilufar, "ru")
    [choice] = browser.get("/choices/group?q=yoshl").json
    assert (choice["code"], choice["name"]) == ("youth", "Молодёжь")
    assert browser.get("/choices/nothing").status_code == 404
