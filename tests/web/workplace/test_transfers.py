"""Passing a caller on from the operator's page: who is found, and what is said when it fails."""

import pytest

from appliance.people import presence
from appliance.telephony import directory
from appliance.telephony.directory import Entry


def tell(browser, path: str, **asked: str):
    """What the page's script posts, and the answer."""
    return browser.post(path, json=asked, headers={"X-CSRFToken": browser.token()})


@pytest.fixture
def browser(login_as):
    """Nilufar's, with two employees to be found."""
    directory.save(Entry("Lola Rashidova", "712390101", "Bandlik boʻlimi"), "rustam")
    directory.save(Entry("Murod Eshonqulov", "712390102"), "rustam")
    return login_as("nilufar")


def test_an_employee_is_found_with_both_ways_to_pass_on(browser) -> None:
    piece = browser.get("/operator/employees?q=рашид&to=pass").text
    assert piece.count('data-number="712390101"') == 2
    assert "712390102" not in piece
    piece = browser.get("/operator/employees?q=lola&to=call").text
    assert 'data-call="712390101"' in piece


def test_a_number_may_be_typed(browser) -> None:
    assert 'data-number="+998 71 200 00 00"' in browser.get(
        "/operator/employees?q=%2B998 71 200 00 00"
    ).text.replace("\xa0", " ")
    assert "<button" not in browser.get("/operator/employees?q=xyz").text


@pytest.mark.parametrize(
    ("path", "asked"),
    [
        ("/operator/transfer", {"how": "blind", "number": "712390101"}),
        ("/operator/transfer", {"how": "consult", "number": "712390101"}),
        ("/operator/consultation", {"next": "join"}),
        ("/operator/consultation", {"next": "conference"}),
        ("/operator/consultation", {"next": "back"}),
        ("/operator/dial", {"number": "712390101", "reason": "ministry"}),
        ("/operator/phone/resume", {"session": "7cf45b2d"}),
    ],
)
def test_a_silent_exchange_is_said(browser, path: str, asked: dict[str, str]) -> None:
    assert "Stansiya javob bermayapti" in tell(browser, path, **asked).json["trouble"]


def test_what_is_no_number_is_said_before_the_exchange_is_asked(browser) -> None:
    for path, asked in (
        ("/operator/transfer", {"how": "blind", "number": "Lola"}),
        ("/operator/dial", {"number": "1001\r\nAction: Logoff", "reason": "page"}),
    ):
        assert "terib boʻlmaydi" in tell(browser, path, **asked).json["trouble"]


def test_an_unknown_way_or_reason_is_refused(browser) -> None:
    assert tell(browser, "/operator/transfer", how="drop").status_code == 422
    assert tell(browser, "/operator/consultation").status_code == 422
    assert tell(browser, "/operator/dial", number="1", reason="").status_code == 422


def test_who_did_not_answer_is_told_and_gets_ready_by_one_key(browser, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    assert "banner" not in browser.get("/operator/paused").text
    presence.choose_state(nilufar, "pause", reason=presence.NO_ANSWER, by="asterisk")
    piece = browser.get("/operator/paused").text
    assert "tanaffusdasiz" in piece
    assert 'value="ready" data-key="F10"' in piece
    tell(browser, "/operator/state", state="ready")
    assert "banner" not in browser.get("/operator/paused").text


@pytest.mark.usefixtures("at_noon")
def test_nobody_is_passed_on_to_who_is_out_of_his_hours(browser) -> None:
    lola, *_ = directory.search("lola")
    directory.save(Entry(lola.name, lola.number, hours="13:00-18:00"), "rustam", lola)
    blind = tell(browser, "/operator/transfer", how="blind", number="+998712390101")
    assert blind.json["trouble"].startswith("Ish vaqti emas: javob berilmaydi.")
    asked = tell(browser, "/operator/transfer", how="consult", number="712390101")
    assert "Stansiya" in asked.json["trouble"]  # the exchange was asked to
