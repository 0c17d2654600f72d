"""The pages of registered calls: the list, one of them, its correction, the table."""

import pytest

from appliance.casework import appeals, call_forms
from appliance.models import AuditEntry, CallForm
from tests.rig.citizen import Citizen


@pytest.fixture
def made(settings, nilufar) -> CallForm:
    citizen = Citizen("hotline-9.1")
    citizen.ring(nilufar)
    citizen.talk()
    citizen.hang_up()
    call = appeals.at_hand(nilufar, citizen.facts.ended_at).call
    said = {"surname": "Zulfiqorova", "gist": "Nafaqa soʻradi", "region": "1718", "sex": "f"}
    token = appeals.token_for(nilufar, call)
    return call_forms.register(said, operator=nilufar, token=token, tz=settings.tz)


def test_the_list_shows_finds_and_narrows(made, login_as):
    browser = login_as("supervisor")
    assert made.number in browser.get("/call-forms").text
    assert made.number in browser.get("/call-forms?q=nafaqa").text
    assert made.number in browser.get("/call-forms?region=1718&alone=1").text
    for other in ("q=qwerty", "direction=training", "until=01.01.2020", "since=01.01.2099"):
        assert made.number not in browser.get(f"/call-forms?{other}").text, other


def test_what_the_address_says_wrong_is_passed_over(made, login_as):
    page = login_as("manager").get("/call-forms?since=bahorda&page=-3&region=%00&q=%25%22")
    assert page.status_code == 200


def test_one_shows_its_fields_and_is_written_down(made, login_as):
    page = login_as("ministry").get(f"/call-forms/{made.number}").text
    for text in ("Zulfiqorova", "Nafaqa soʻradi", "Samarqand viloyati", "Ayol"):
        assert text in page
    row = AuditEntry.select().where(AuditEntry.action == "call_form.view").get()
    assert row.subject == made.number


def test_another_operators_is_not_shown(made, login_as, sardor):
    browser = login_as("sardor")
    assert made.number not in browser.get("/call-forms").text
    assert browser.get(f"/call-forms/{made.number}").status_code == 404


def test_a_correction_is_kept_and_told(made, login_as):
    browser = login_as("nilufar")
    where = f"/call-forms/{made.number}"
    assert "Nafaqa soʻradi" in browser.get(f"{where}/correct").text
    said = {"surname": "Zulfiqorova", "gist": "Subsidiya soʻradi", "csrf_token": browser.token()}
    answer = browser.post(f"{where}/correct", data=said)
    assert answer.headers["Location"] == where
    page = browser.get(where).text
    assert "Subsidiya soʻradi" in page
    assert "Nafaqa soʻradi" in page  # as it stood before
    assert CallForm.get().region_id is None


def test_the_table_tells_names_only_to_who_may_see_them(made, login_as):
    whole = login_as("manager").get("/call-forms/table.csv").get_data(as_text=True)
    assert "Zulfiqorova" in whole
    assert "Samarqand viloyati" in whole
    part = login_as("supervisor").get("/call-forms/table.csv").get_data(as_text=True)
    assert made.number in part
    assert "Zulfiqorova" not in part
    assert "+998" not in part


def test_the_calls_card_leads_to_it(made, login_as):
    page = login_as("supervisor").get(f"/calls/{made.call_id}").text
    assert f"/call-forms/{made.number}" in page
