"""The list of consultations: what waits, what is noted there, who sees it."""

import datetime as dt

import pytest

from appliance.casework.appeals import consultations
from appliance.core import clock
from appliance.models import Consultation, Handling


@pytest.fixture
def asked(register):
    return register(consultation="1", consultation_issue="Nafaqa tayinlash")


def test_the_operator_follows_up_on_the_list(asked, login_as) -> None:
    browser = login_as("nilufar")
    for path in ("/consultations", "/consultations/list", "/operator"):
        page = browser.get(path).text
        assert asked.number in page
        assert "Nafaqa tayinlash" in page
    fields = {"version": Handling.get_by_id(asked.id).version, "back": "list"}
    sent = browser.send(f"/appeals/{asked.number}/contacted", contact="A. Sobirov", **fields)
    assert sent.headers["Location"] == "/consultations"
    assert "A. Sobirov" in browser.get("/consultations").text
    fields["version"] += 1
    sent = browser.send(f"/appeals/{asked.number}/concluded", result="Javob berildi", **fields)
    assert sent.headers["Location"] == "/consultations"
    assert asked.number not in browser.get("/consultations").text
    assert asked.number not in browser.get("/consultations/mine").text
    page = browser.get("/consultations?show=done").text
    assert "Javob berildi" in page
    assert "Javob berildi" in browser.get(f"/appeals/{asked.number}").text


def test_what_was_typed_stays_when_somebody_was_faster(asked, login_as) -> None:
    browser = login_as("nilufar")
    fields = {"version": 7, "back": "list", "result": "Tushuntirildi"}
    page = browser.refused(browser.send(f"/appeals/{asked.number}/concluded", **fields))
    assert 'role="alert"' in page
    assert 'value="Tushuntirildi"' in page


def test_it_is_concluded_on_the_card_by_the_ministry_too(asked, login_as) -> None:
    browser = login_as("ministry")
    card = f"/appeals/{asked.number}"
    assert 'name="result"' in browser.get(card).text
    sent = browser.send(f"{card}/concluded", version=1, back="list", result="Javob berildi")
    assert sent.headers["Location"] == card
    assert 'name="result"' not in browser.get(card).text
    assert consultations.of_appeal(asked).done_by == "bahodir"


def test_overdue_is_said(asked, login_as) -> None:
    long_ago = clock.now() - dt.timedelta(days=1, minutes=1)
    Consultation.update(asked_at=long_ago).execute()
    page = login_as("supervisor").get("/consultations").text
    assert "1 ta muddati oʻtgan" in page
    assert "octagon" not in page.split("<tbody>")[0].split("<h1>")[0]


def test_who_may_not_note_it(asked, register, login_as) -> None:
    card = f"/appeals/{asked.number}"
    fields = {"version": 1, "result": "x"}
    assert login_as("sardor").send(f"{card}/concluded", **fields).status_code == 404
    manager = login_as("manager")
    assert asked.number in manager.get("/consultations").text
    assert f"{card}/concluded" not in manager.get("/consultations").text
    assert manager.send(f"{card}/concluded", **fields).status_code == 403
    other = register()
    sent = login_as("nilufar").send(f"/appeals/{other.number}/concluded", **fields)
    assert sent.status_code == 403
