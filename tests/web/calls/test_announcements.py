"""A supervisor's announcements: sent from the floor, shown to operators until read, stored."""

import re

from appliance.models import Announcement, AnnouncementReader, AuditEntry, LiveEvent

ANNOUNCEMENTS_PATH = "/floor/announcements"
ANNOUNCEMENT_TEXT = "Bugun soat 15:00 da yigʻilish <b>"


def announcement_numbers(page: str) -> list[str]:
    return re.findall(r'id="announcement-(\d+)"', page)


def test_an_announcement_is_shown_to_each_operator_until_read(login_as) -> None:
    supervisor, first, second = login_as("supervisor"), login_as("nilufar"), login_as("sardor")
    assert announcement_numbers(first.get("/operator").text) == []
    assert (
        supervisor.send(ANNOUNCEMENTS_PATH, announcement=ANNOUNCEMENT_TEXT, to="").status_code
        == 302
    )
    (number,) = announcement_numbers(first.get("/operator").text)
    page = second.get("/operator/announcements").text
    assert announcement_numbers(page) == [number]
    assert "Bugun soat 15:00 da yigʻilish &lt;b&gt;" in page
    assert "Dilnoza Aliyeva" in page
    headers = {"X-CSRFToken": first.token("/account")}
    answer = first.post(f"/operator/announcements/{number}", json={}, headers=headers)
    assert answer.json == {"trouble": ""}
    assert announcement_numbers(first.get("/operator").text) == []
    assert announcement_numbers(second.get("/operator").text) == [number]
    floor_page = supervisor.get("/floor").text
    assert "1 / 2" in floor_page
    assert re.search('<td class="n" title="[^"]*Sardor Ergashev', floor_page)
    assert LiveEvent.select().where(LiveEvent.topic == "announcements").count() == 2


def test_an_announcement_to_one_operator_is_shown_to_nobody_else(login_as, sardor) -> None:
    login_as("manager").send(ANNOUNCEMENTS_PATH, announcement="Kelib keting", to="sardor")
    assert announcement_numbers(login_as("sardor").get("/operator").text)
    assert not announcement_numbers(login_as("nilufar").get("/operator").text)
    row = AuditEntry.get(AuditEntry.action == "announcement.send")
    assert (row.who, row.subject, row.detail["readers"]) == ("sherzod", "sardor", 1)
    assert AnnouncementReader.get().user == sardor


def test_an_operator_cannot_dismiss_anothers_announcement(login_as) -> None:
    login_as("supervisor").send(ANNOUNCEMENTS_PATH, announcement="Kelib keting", to="sardor")
    number = Announcement.get().id
    browser = login_as("nilufar")
    headers = {"X-CSRFToken": browser.token("/account")}
    browser.post(f"/operator/announcements/{number}", json={}, headers=headers)
    assert AnnouncementReader.get().read_at is None


def test_an_invalid_announcement_is_refused_and_its_text_kept(login_as) -> None:
    browser = login_as("supervisor")
    long = "x" * 501
    page = browser.refused_page(browser.send(ANNOUNCEMENTS_PATH, announcement=long, to="sardor"))
    form = page.split('id="announce"')[1].split("</form>")[0]
    assert 'role="alert"' in form
    assert long in form
    assert re.search('<option value="sardor" selected', form)
    for wrong in ({"announcement": "  ", "to": ""}, {"announcement": "x", "to": "nobody"}):
        assert 'role="alert"' in browser.refused_page(browser.send(ANNOUNCEMENTS_PATH, **wrong))
    assert Announcement.select().count() == 0
