"""A user's own sessions, and everyone's: each is ended at once, and its open page is notified."""

import pytest

from appliance.core import live
from appliance.models import AuditEntry, Session
from appliance.people import sessions
from appliance.web.person.sessions import browser_and_system
from tests.rig.people import PASSWORD
from tests.rig.streams import TopicStream

WINDOWS_AGENT = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (WINDOWS_AGENT + "Chrome/131.0.0.0 Safari/537.36", "Chrome, Windows"),
        (WINDOWS_AGENT + "Chrome/131.0.0.0 Safari/537.36 Edg/131.0.0.0", "Edge, Windows"),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0", "Firefox, Linux"),
        ("curl/8.5", ""),
        ("<script>", ""),
    ],
)
def test_a_browser_is_identified_by_its_user_agent(text, name) -> None:
    assert browser_and_system(text) == name


def test_users_see_and_end_their_own_sessions(login_as) -> None:
    here, there, other = login_as("operator"), login_as("operator"), login_as("manager")
    page = here.get("/account/sessions").text
    assert page.count("/account/sessions/") == 3  # two sessions, and the button for all others
    own_ids = [
        session.id for session in sessions.valid_sessions() if session.user.login == "nilufar"
    ]
    there_id = max(own_ids)
    assert other.send(f"/account/sessions/{there_id}/end").status_code == 404
    assert there.get("/account").status_code == 200
    assert here.send(f"/account/sessions/{there_id}/end").status_code == 302
    assert there.get("/account").status_code == 302
    assert here.get("/account").status_code == 200


def test_all_other_sessions_end_together(login_as) -> None:
    here, *other_browsers = (login_as("operator") for _ in range(3))
    assert here.send("/account/sessions/end-others").headers["Location"] == "/account/sessions"
    assert [browser.get("/account").status_code for browser in (here, *other_browsers)] == [
        200,
        302,
        302,
    ]
    assert AuditEntry.get(AuditEntry.action == "user.sign_out").detail == {"sessions": 2}


def test_signing_out_does_not_affect_the_other_device(login_as) -> None:
    here, there = login_as("operator"), login_as("operator")
    here.send("/logout")
    assert there.get("/account").status_code == 200


def test_the_technician_ends_anyones_session(login_as) -> None:
    manager, technician = login_as("manager"), login_as("technician")
    [row] = [session for session in sessions.valid_sessions() if session.user.login == "sherzod"]
    page = technician.get("/sessions").text
    assert "Sherzod Qodirov" in page
    assert f'action="/sessions/{row.id}/end"' in page
    assert technician.send(f"/sessions/{row.id}/end").headers["Location"] == "/sessions"
    assert manager.get("/account").status_code == 302
    assert technician.send(f"/sessions/{row.id}/end").status_code == 404


def test_an_open_page_of_an_ended_session_is_notified_once(login_as) -> None:
    browser = login_as("supervisor")
    stream = TopicStream(browser)
    [row] = sessions.valid_sessions()
    sessions.end_session(row, "rustam")  # as another process would
    live.publish_topics("calls")
    events = stream.read_rest()
    stream.close()
    assert "event: ended" in events
    assert "calls" not in events
    assert browser.get("/live").status_code == 401


def test_no_stream_begins_when_the_session_ends_during_the_request(
    app, login_as, monkeypatch
) -> None:
    browser = login_as("supervisor")
    newest = live.newest_event_id

    def end_session_and_read() -> int:
        Session.delete().execute()
        return newest()

    monkeypatch.setattr("appliance.core.live.newest_event_id", end_session_and_read)
    assert browser.get("/live").status_code == 401


def test_an_old_or_forged_cookie_opens_nothing(app, login_as) -> None:
    cookie = login_as("operator").get_cookie("__Host-session").value
    stranger = app.test_client()
    for planted in (
        "",
        "x",
        cookie[:-3] + ("A" if cookie[-3] != "A" else "B") + cookie[-2:],
        cookie.split(".")[0],
    ):
        stranger.set_cookie("__Host-session", planted)
        assert stranger.get("/account").status_code == 302


def test_signing_in_does_not_use_a_planted_cookie(app, client) -> None:
    """Planting one's own cookie in another's browser gains nothing when that user signs in."""
    planter = app.test_client()
    planter.token("/login")
    planted = planter.get_cookie("__Host-session").value
    client.set_cookie("__Host-session", planted)
    assert client.sign_in("nilufar", PASSWORD).status_code == 302
    assert client.get_cookie("__Host-session").value != planted
    assert planter.get("/account").status_code == 302
