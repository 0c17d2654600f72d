"""What a supervisor tells operators: sent on the floor, on their pages until read, kept."""

import re

from appliance.models import Announcement, AnnouncementReader, AuditEntry, LiveEvent

HERE = "/floor/announcements"
TEXT = "Bugun soat 15:00 da yigʻilish <b>"


def told(page: str) -> list[str]:
    return re.findall(r'id="announcement-(\d+)"', page)


def test_all_operators_are_told_until_each_has_read_it(login_as) -> None:
    supervisor, first, second = login_as("supervisor"), login_as("nilufar"), login_as("sardor")
    assert told(first.get("/operator").text) == []
    assert supervisor.send(HERE, announcement=TEXT, to="").status_code == 302
    (number,) = told(first.get("/operator").text)
    page = second.get("/operator/announcements").text
    assert told(page) == [number]
    assert "Bugun soat 15:00 da yigʻilish &lt;b&gt;" in page
    assert "Dilnoza Aliyeva" in page
    headers = {"X-CSRFToken": first.token("/account")}
    answer = first.post(f"/operator/announcements/{number}", json={}, headers=headers)
    assert answer.json == {"trouble": ""}
    assert told(first.get("/operator").text) == []
    assert told(second.get("/operator").text) == [number]
    shown = supervisor.get("/floor").text
    assert "1 / 2" in shown
    assert re.search('<td class="n" title="[^"]*Sardor Ergashev', shown)
    assert LiveEvent.select().where(LiveEvent.topic == "announcements").count() == 2


def test_one_operator_is_told_and_nobody_else(login_as, sardor) -> None:
    login_as("manager").send(HERE, announcement="Kelib keting", to="sardor")
    assert told(login_as("sardor").get("/operator").text)
    assert not told(login_as("nilufar").get("/operator").text)
    row = AuditEntry.get(AuditEntry.action == "announcement.send")
    assert (row.who, row.subject, row.detail["readers"]) == ("sherzod", "sardor", 1)
    assert AnnouncementReader.get().user == sardor


def test_what_is_not_his_cannot_be_taken_off(login_as) -> None:
    login_as("supervisor").send(HERE, announcement="Kelib keting", to="sardor")
    number = Announcement.get().id
    browser = login_as("nilufar")
    headers = {"X-CSRFToken": browser.token("/account")}
    browser.post(f"/operator/announcements/{number}", json={}, headers=headers)
    assert AnnouncementReader.get().read_at is None


def test_what_is_wrong_is_said_and_what_was_typed_stays(login_as) -> None:
    browser = login_as("supervisor")
    long = "x" * 501
    page = browser.refused(browser.send(HERE, announcement=long, to="sardor"))
    form = page.split('id="announce"')[1].split("</form>")[0]
    assert 'role="alert"' in form
    assert long in form
    assert re.search('<option value="sardor" selected', form)
    for wrong in ({"announcement": "  ", "to": ""}, {"announcement": "x", "to": "nobody"}):
        assert 'role="alert"' in browser.refused(browser.send(HERE, **wrong))
    assert Announcement.select().count() == 0
