"""The manager masks a citizen on the page, and no page shows the citizen's data."""

import html

from appliance.casework import catalogs, data_requests
from appliance.models import User
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
