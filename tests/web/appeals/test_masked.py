"""The manager masks a citizen on the page, and no page shows the citizen's data."""

import html
import re

from appliance.box.retention import masking
from appliance.casework import catalogs, data_requests
from appliance.core import db
from appliance.models import Appeal, User
from tests.box import retained
from tests.rig.canary import ASKED, Canary


def test_no_page_shows_him(settings, login_as, nilufar, sardor, bahodir) -> None:
    canary = Canary(
        *("Kanar", "+998935550147", "+998901112233", "AA7654321", "AB1112223"),
        *("31210632040244", "hotline-1.1"),
    )
    canary.plant(settings, nilufar, sardor, bahodir)
    manager, number = User.get(User.role == "manager"), canary.appeal.number
    sent = {"kind": "mask", "person": canary.surname, "phone": canary.phone, "proof": "AA7654321"}
    request = data_requests.ask(manager, sent, catalogs.working_calendar(settings))
    browser = login_as("manager")
    paths = ("/data-requests", f"/data-requests/{request.id}", "/appeals", f"/appeals/{number}")
    assert canary.surname in browser.get(paths[-1]).text
    answer = {"do": "done", "record": [f"appeal:{number}", "number"]}
    answer["answer"] = f"{canary.former}, bajarildi"
    assert browser.send(f"{paths[1]}/answer", **answer).status_code == 302
    for path in paths:
        shown = html.unescape(browser.get(path).text)
        assert [word for word in canary.words if word.lower() in shown.lower()] == [], path
    assert ASKED in shown
    assert "bajarildi" in browser.get(paths[1]).text
    assert number not in browser.get(f"/appeals?q={canary.surname}").text


def test_what_he_typed_reads_as_not_on_the_list(settings, login_as, nilufar, bahodir) -> None:
    typed = {"appeal_type": "Kanartur", "direction": "Kanaryoʻl", "employment": "Kanarmehnat"}
    made = retained.register(settings, nilufar)
    Appeal.update(typed).where(Appeal.id == made.id).execute()
    with db.writing():
        masking.person(Appeal.get_by_id(made.id), "data_request=1", None)
    browser = login_as("manager")
    words = catalogs.label("direction", "*", "uz_Latn")
    page = html.unescape(browser.get("/appeals?all=1").text)
    assert words in page
    assert ">*<" not in page
    sheet = browser.get("/appeals/appeals.csv?all=1").text
    assert words in sheet
    assert "*" not in re.split(r"[;,\t\n\"]", sheet)
