"""The pages of registered calls: the list, a single one, its correction, the table."""

import pytest

from appliance.casework import call_forms
from appliance.casework.appeals import desk
from appliance.casework.forms import drafts
from appliance.models import AuditEntry, CallForm
from tests.rig.citizen import Citizen


@pytest.fixture
def call_form(settings, nilufar) -> CallForm:
    citizen = Citizen("hotline-9.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    citizen.hang_up()
    call = desk.current_desk(nilufar, citizen.facts.ended_at).call
    values = {"surname": "Zulfiqorova", "gist": "Nafaqa soʻradi", "region": "1718", "sex": "f"}
    token = drafts.token_for(nilufar, call)
    return call_forms.register(values, operator=nilufar, token=token, tz=settings.tz)


def test_the_list_can_be_searched_and_filtered(call_form, login_as):
    browser = login_as("supervisor")
    assert call_form.number in browser.get("/call-forms").text
    assert call_form.number in browser.get("/call-forms?q=nafaqa").text
    assert call_form.number in browser.get("/call-forms?region=1718&alone=1").text
    for other in ("q=qwerty", "direction=training", "until=01.01.2020", "since=01.01.2099"):
        assert call_form.number not in browser.get(f"/call-forms?{other}").text, other


def test_invalid_query_parameters_are_ignored(call_form, login_as):
    page = login_as("manager").get("/call-forms?since=bahorda&page=-3&region=%00&q=%25%22")
    assert page.status_code == 200


def test_viewing_a_call_form_shows_its_fields_and_is_audited(call_form, login_as):
    page = login_as("ministry").get(f"/call-forms/{call_form.number}").text
    for text in ("Zulfiqorova", "Nafaqa soʻradi", "Samarqand viloyati", "Ayol"):
        assert text in page
    row = AuditEntry.select().where(AuditEntry.action == "call_form.view").get()
    assert row.subject == call_form.number


def test_another_operators_call_form_is_not_shown(call_form, login_as, sardor):
    browser = login_as("sardor")
    assert call_form.number not in browser.get("/call-forms").text
    assert browser.get(f"/call-forms/{call_form.number}").status_code == 404


def test_a_correction_is_saved_and_shown_with_the_old_value(call_form, login_as):
    browser = login_as("nilufar")
    card_path = f"/call-forms/{call_form.number}"
    assert "Nafaqa soʻradi" in browser.get(f"{card_path}/correct").text
    values = {"surname": "Zulfiqorova", "gist": "Subsidiya soʻradi", "csrf_token": browser.token()}
    answer = browser.post(f"{card_path}/correct", data=values)
    assert answer.headers["Location"] == card_path
    page = browser.get(card_path).text
    assert "Subsidiya soʻradi" in page
    assert "Nafaqa soʻradi" in page  # the value before the correction
    assert CallForm.get().region_id is None


def test_the_table_has_names_only_for_permitted_roles(call_form, login_as):
    managers_table = login_as("manager").get("/call-forms/table.csv").get_data(as_text=True)
    assert "Zulfiqorova" in managers_table
    assert "Samarqand viloyati" in managers_table
    supervisors_table = login_as("supervisor").get("/call-forms/table.csv").get_data(as_text=True)
    assert call_form.number in supervisors_table
    assert "Zulfiqorova" not in supervisors_table
    assert "+998" not in supervisors_table


def test_a_typed_place_is_in_the_table_only_for_permitted_roles(call_form, login_as):
    CallForm.update(region=None, region_text="Olmaota, Abay 5").execute()
    path = "/call-forms/table.csv"
    assert "Olmaota, Abay 5" in login_as("manager").get(path).get_data(as_text=True)
    assert "Olmaota" not in login_as("supervisor").get(path).get_data(as_text=True)


def test_the_calls_card_links_to_its_form(call_form, login_as):
    page = login_as("supervisor").get(f"/calls/{call_form.call_id}").text
    assert f"/call-forms/{call_form.number}" in page
