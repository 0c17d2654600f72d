"""Transferring a caller from the operator's page: who is found, and what is shown on failure."""

import pytest

from appliance.people import presence
from appliance.telephony import directory
from appliance.telephony.directory import DirectoryEntry


def post_json(browser, path: str, **values: str):
    """Post JSON as the page's script does, and return the response."""
    return browser.post(path, json=values, headers={"X-CSRFToken": browser.token()})


@pytest.fixture
def browser(login_as):
    """Nilufar's browser, with two employees in the directory."""
    directory.save_employee(
        DirectoryEntry("Lola Rashidova", "712390101", "Bandlik boʻlimi"), "rustam"
    )
    directory.save_employee(DirectoryEntry("Murod Eshonqulov", "712390102"), "rustam")
    return login_as("nilufar")


def test_an_employee_is_found_with_both_kinds_of_transfer(browser) -> None:
    piece = browser.get("/operator/employees?q=рашид&to=pass").text
    assert piece.count('data-number="712390101"') == 2
    assert "712390102" not in piece
    piece = browser.get("/operator/employees?q=lola&to=call").text
    assert 'data-call="712390101"' in piece


def test_a_typed_number_is_offered(browser) -> None:
    assert 'data-number="+998 71 200 00 00"' in browser.get(
        "/operator/employees?q=%2B998 71 200 00 00"
    ).text.replace("\xa0", " ")
    assert "<button" not in browser.get("/operator/employees?q=xyz").text


@pytest.mark.parametrize(
    ("path", "values"),
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
def test_an_exchange_that_does_not_answer_is_reported(
    browser, path: str, values: dict[str, str]
) -> None:
    assert "Stansiya javob bermayapti" in post_json(browser, path, **values).json["trouble"]


def test_an_invalid_number_is_reported_without_contacting_the_exchange(browser) -> None:
    for path, values in (
        ("/operator/transfer", {"how": "blind", "number": "Lola"}),
        ("/operator/dial", {"number": "1001\r\nAction: Logoff", "reason": "page"}),
    ):
        assert "terib boʻlmaydi" in post_json(browser, path, **values).json["trouble"]


def test_an_unknown_kind_or_reason_is_refused(browser) -> None:
    assert post_json(browser, "/operator/transfer", how="drop").status_code == 422
    assert post_json(browser, "/operator/consultation").status_code == 422
    assert post_json(browser, "/operator/dial", number="1", reason="").status_code == 422


def test_an_unanswered_ring_is_shown_and_one_key_sets_ready(browser, nilufar) -> None:
    presence.choose_state(nilufar, "ready")
    assert "banner" not in browser.get("/operator/paused").text
    presence.choose_state(nilufar, "pause", reason=presence.NO_ANSWER, by="asterisk")
    piece = browser.get("/operator/paused").text
    assert "tanaffusdasiz" in piece
    assert 'value="ready" data-key="F10"' in piece
    post_json(browser, "/operator/state", state="ready")
    assert "banner" not in browser.get("/operator/paused").text


@pytest.mark.usefixtures("at_noon")
def test_a_blind_transfer_outside_working_hours_is_refused(browser) -> None:
    lola, *_ = directory.search_employees("lola")
    directory.save_employee(
        DirectoryEntry(lola.name, lola.number, hours="13:00-18:00"), "rustam", lola
    )
    blind = post_json(browser, "/operator/transfer", how="blind", number="+998712390101")
    assert blind.json["trouble"].startswith("Ish vaqti emas: javob berilmaydi.")
    consultation = post_json(browser, "/operator/transfer", how="consult", number="712390101")
    assert "Stansiya" in consultation.json["trouble"]  # the exchange was contacted for it
