"""The manager masks a citizen on the page; afterwards no page shows the citizen's data."""

import html
import re

from appliance.box.retention import masking
from appliance.casework import catalogs, data_requests
from appliance.core import db
from appliance.models import Appeal, User
from tests.box import retained
from tests.rig.canary import REQUEST_TEXT, Canary


def test_no_page_shows_a_masked_citizen(settings, login_as, nilufar, sardor, bahodir) -> None:
    canary = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    canary.plant_everywhere(settings, nilufar, sardor, bahodir)
    manager, number = User.get(User.role == "manager"), canary.appeal.number
    sent = {"kind": "mask", "person": canary.surname, "phone": canary.phone, "proof": "AA7654321"}
    request = data_requests.register_data_request(
        manager, sent, catalogs.working_calendar(settings)
    )
    browser = login_as("manager")
    paths = ("/data-requests", f"/data-requests/{request.id}", "/appeals", f"/appeals/{number}")
    assert canary.surname in browser.get(paths[-1]).text
    answer = {"do": "done", "record": [f"appeal:{number}", "number"]}
    answer["answer"] = f"{canary.former_surname}, bajarildi"
    assert browser.send(f"{paths[1]}/answer", **answer).status_code == 302
    for path in paths:
        page_text = html.unescape(browser.get(path).text)
        assert [
            word for word in canary.personal_texts if word.lower() in page_text.lower()
        ] == [], path
    assert REQUEST_TEXT in page_text
    assert "bajarildi" in browser.get(paths[1]).text
    assert number not in browser.get(f"/appeals?q={canary.surname}").text


def test_masked_free_text_reads_as_not_on_the_list(settings, login_as, nilufar, bahodir) -> None:
    typed = {"appeal_type": "Kanartur", "direction": "Kanaryoʻl", "employment": "Kanarmehnat"}
    appeal = retained.register_appeal(settings, nilufar)
    Appeal.update(typed).where(Appeal.id == appeal.id).execute()
    with db.write_transaction():
        masking.mask_appeal_person(Appeal.get_by_id(appeal.id), "data_request=1", None)
    browser = login_as("manager")
    words = catalogs.value_label("direction", "*", "uz_Latn")
    page = html.unescape(browser.get("/appeals?all=1").text)
    assert words in page
    assert ">*<" not in page
    sheet = browser.get("/appeals/appeals.csv?all=1").text
    assert words in sheet
    assert "*" not in re.split(r"[;,\t\n\"]", sheet)
