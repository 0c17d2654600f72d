"""One's own sign-ins, and everybody's: each ended at once, its open page told."""

import pytest

from appliance.core import live
from appliance.models import AuditEntry, Session
from appliance.people import sessions
from appliance.web.person.sessions import agent
from tests.rig.people import PASSWORD
from tests.rig.streams import Stream

WINDOWS = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (WINDOWS + "Chrome/131.0.0.0 Safari/537.36", "Chrome, Windows"),
        (WINDOWS + "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox, Linux"),
        ("curl/8.5", ""),
        ("<script>", ""),
    ],
)
def test_a_browser_is_told_by_what_it_calls_itself(text, told) -> None:
    assert agent(text) == told


def test_one_sees_and_ends_ones_own(login_as) -> None:
    here, there, other = login_as("operator"), login_as("operator"), login_as("manager")
    page = here.get("/account/sessions").text
    assert page.count("/account/sessions/") == 3  # two, and all the others
    mine = [one.id for one in sessions.every() if one.user.login == "nilufar"]
    there_id = max(mine)
    assert other.send(f"/account/sessions/{there_id}/end").status_code == 404
    assert there.get("/account").status_code == 200
    assert here.send(f"/account/sessions/{there_id}/end").status_code == 302
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200


def test_all_others_end_together(login_as) -> None:
    here, *others = (login_as("operator") for _ in range(3))
    assert here.send("/account/sessions/end-others").headers["Location"] == "/account/sessions"
    assert [one.get("/account").status_code for one in (here, *others)] == [200, 302, 302]
    assert AuditEntry.get(AuditEntry.action == "user.sign_out").detail == {"sessions": 2}


def test_signing_out_leaves_the_other_device(login_as) -> None:
    here, there = login_as("operator"), login_as("operator")
    here.send("/logout")
    assert there.get("/account").status_code == 200


def test_the_technician_ends_anybodys(login_as) -> None:
    manager, technician = login_as("manager"), login_as("technician")
    [row] = [one for one in sessions.every() if one.user.login == "sherzod"]
    page = technician.get("/sessions").text
    assert "Sherzod Qodirov" in page
    assert f'action="/sessions/{row.id}/end"' in page
    assert technician.send(f"/sessions/{row.id}/end").headers["Location"] == "/sessions"
    assert manager.get("/account").status_code == 302
    assert technician.send(f"/sessions/{row.id}/end").status_code == 404


def test_an_open_page_of_it_is_told_and_hears_no_more(login_as) -> None:
    browser = login_as("supervisor")
    stream = Stream(browser)
    [row] = sessions.every()
    sessions.end(row, "rustam")  # as another process does
    live.publish("calls")
    told = stream.rest()
    stream.close()
    assert "event: ended" in told
    assert "calls" not in told
    assert browser.get("/live").status_code == 401


def test_a_stream_does_not_begin_between_reading_and_ending(app, login_as, monkeypatch) -> None:
    browser = login_as("supervisor")
    newest = live.newest

    def ended_meanwhile() -> int:
        Session.delete().execute()
        return newest()

    monkeypatch.setattr("appliance.core.live.newest", ended_meanwhile)
    assert browser.get("/live").status_code == 401


def test_a_cookie_of_before_or_of_another_site_opens_nothing(app, login_as) -> None:
    made = login_as("operator").get_cookie("__Host-session").value
    stranger = app.test_client()
    for planted in (
        "",
        "x",
        made[:-3] + ("A" if made[-3] != "A" else "B") + made[-2:],
        made.split(".")[0],
    ):
        stranger.set_cookie("__Host-session", planted)
        assert stranger.get("/account").status_code == 302


def test_a_planted_cookie_is_not_the_one_that_signs_in(app, client) -> None:
    """Who plants his own cookie in another's browser has nothing when that one signs in."""
    planter = app.test_client()
    planter.token("/login")
    planted = planter.get_cookie("__Host-session").value
    client.set_cookie("__Host-session", planted)
    assert client.sign_in("nilufar", PASSWORD).status_code == 302
    assert client.get_cookie("__Host-session").value != planted
    assert planter.get("/account").status_code == 302
