"""The list of consultations: what is open, what can be recorded there, who sees it."""

import datetime as dt

import pytest

from appliance.casework.appeals import consultations
from appliance.core import clock
from appliance.models import Consultation, Handling


@pytest.fixture
def consultation_appeal(register):
    return register(consultation="1", consultation_issue="Nafaqa tayinlash")


def test_the_operator_follows_up_on_the_list(consultation_appeal, login_as) -> None:
    browser = login_as("nilufar")
    for path in ("/consultations", "/consultations/list", "/operator"):
        page = browser.get(path).text
        assert consultation_appeal.number in page
        assert "Nafaqa tayinlash" in page
    fields = {"version": Handling.get_by_id(consultation_appeal.id).version, "back": "list"}
    sent = browser.send(
        f"/appeals/{consultation_appeal.number}/contacted", contact="A. Sobirov", **fields
    )
    assert sent.headers["Location"] == "/consultations"
    assert "A. Sobirov" in browser.get("/consultations").text
    fields["version"] += 1
    sent = browser.send(
        f"/appeals/{consultation_appeal.number}/concluded", result="Javob berildi", **fields
    )
    assert sent.headers["Location"] == "/consultations"
    assert consultation_appeal.number not in browser.get("/consultations").text
    assert consultation_appeal.number not in browser.get("/consultations/mine").text
    page = browser.get("/consultations?show=done").text
    assert "Javob berildi" in page
    assert "Javob berildi" in browser.get(f"/appeals/{consultation_appeal.number}").text


def test_typed_text_is_kept_when_another_user_was_faster(consultation_appeal, login_as) -> None:
    browser = login_as("nilufar")
    fields = {"version": 7, "back": "list", "result": "Tushuntirildi"}
    page = browser.refused_page(
        browser.send(f"/appeals/{consultation_appeal.number}/concluded", **fields)
    )
    assert 'role="alert"' in page
    assert 'value="Tushuntirildi"' in page


def test_the_ministry_can_conclude_a_consultation_on_the_card(
    consultation_appeal, login_as
) -> None:
    browser = login_as("ministry")
    card = f"/appeals/{consultation_appeal.number}"
    assert 'name="result"' in browser.get(card).text
    sent = browser.send(f"{card}/concluded", version=1, back="list", result="Javob berildi")
    assert sent.headers["Location"] == card
    assert 'name="result"' not in browser.get(card).text
    assert consultations.consultation_of_appeal(consultation_appeal).done_by == "bahodir"


def test_overdue_consultations_are_counted(consultation_appeal, login_as) -> None:
    long_ago = clock.now() - dt.timedelta(days=1, minutes=1)
    Consultation.update(asked_at=long_ago).execute()
    page = login_as("supervisor").get("/consultations").text
    assert "1 ta muddati oʻtgan" in page
    assert "octagon" not in page.split("<tbody>")[0].split("<h1>")[0]


def test_users_without_the_right_cannot_conclude_a_consultation(
    consultation_appeal, register, login_as
) -> None:
    card = f"/appeals/{consultation_appeal.number}"
    fields = {"version": 1, "result": "x"}
    assert login_as("sardor").send(f"{card}/concluded", **fields).status_code == 404
    manager = login_as("manager")
    assert consultation_appeal.number in manager.get("/consultations").text
    assert f"{card}/concluded" not in manager.get("/consultations").text
    assert manager.send(f"{card}/concluded", **fields).status_code == 403
    other = register()
    sent = login_as("nilufar").send(f"/appeals/{other.number}/concluded", **fields)
    assert sent.status_code == 403
