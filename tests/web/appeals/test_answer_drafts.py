"""An answer that is written and not sent yet stays, until it is sent or emptied."""

import datetime as dt

import pytest

from appliance.casework import appeals
from appliance.casework.appeals import answer_drafts, handling
from appliance.models import AnswerDraft, Appeal, Draft, Handling, User
from tests.casework.test_appeals import FULL
from tests.rig.browser import Browser


@pytest.fixture
def ministry(login_as) -> Browser:
    """Bahodir's browser."""
    return login_as("bahodir")


def typed(browser: Browser, appeal: Appeal, text: str, seen: str = "", **more):
    """What the page's script sends while somebody types."""
    sent = {"action": "answer", "text": text, "department": "", "seen": seen} | more
    headers = {"X-CSRFToken": browser.token()}
    return browser.post(f"/appeals/{appeal.number}/draft", json=sent, headers=headers)


def card(browser: Browser, appeal: Appeal) -> str:
    return browser.get(f"/appeals/{appeal.number}").text


def area(page: str) -> str:
    return page.split('id="text"')[1].split(">", 1)[1].split("</textarea>")[0]


def test_an_unsent_answer_is_there_when_one_comes_back(ministry, login_as, register) -> None:
    appeal, other = register(), register()
    assert typed(ministry, appeal, "Yarim javob", action="interim").status_code == 200
    for browser in (ministry, login_as("bahodir")):  # another session, another computer
        page = card(browser, appeal)
        assert area(page) == "Yarim javob"
        assert 'value="interim" checked' in page
        assert "Qoralama saqlandi" in page
    assert area(card(ministry, other)) == ""
    rows = ministry.get("/appeals").text.split("<li id=")
    marked = [row for row in rows if "Qoralama" in row]
    assert len(marked) == 1
    assert appeal.number in marked[0]


def test_it_is_nobody_elses(ministry, login_as, register) -> None:
    appeal = register()
    typed(ministry, appeal, "Yarim javob")
    assert "Yarim javob" not in card(login_as("supervisor"), appeal)
    assert typed(login_as("supervisor"), appeal, "x").status_code == 403


def test_sent_or_emptied_it_is_gone_and_refused_it_stays(ministry, register) -> None:
    sent, emptied, refused = register(), register(), register()
    for appeal in (sent, emptied, refused):
        typed(ministry, appeal, "Javob")
    step = {"action": "answer", "text": "Javob"}
    ministry.send(f"/appeals/{sent.number}/steps", version="1", **step)
    assert typed(ministry, emptied, " ", last=True).json["saved_at"] == ""
    ministry.send(f"/appeals/{refused.number}/steps", version="9", **step)
    assert [draft.appeal for draft in AnswerDraft.select()] == [refused]


def test_taking_over_keeps_what_is_written(ministry, register) -> None:
    appeal = register()
    typed(ministry, appeal, "Javob")
    ministry.send(f"/appeals/{appeal.number}/steps", action="take", version="1")
    assert area(card(ministry, appeal)) == "Javob"


def test_a_second_tab_overwrites_nothing(ministry, register) -> None:
    appeal = register()
    first = typed(ministry, appeal, "Birinchi").json["saved_at"]
    second = typed(ministry, appeal, "Birinchi va davomi", first).json["saved_at"]
    late = typed(ministry, appeal, "Ikkinchi oyna", first)
    assert late.status_code == 409
    assert "boshqa oynada" in late.json["words"]
    assert AnswerDraft.get().text == "Birinchi va davomi"
    assert typed(ministry, appeal, "Birinchi, tugadi", second).status_code == 200
    assert typed(ministry, appeal, "Hech narsa", "bugun").status_code == 409
    assert typed(ministry, appeal, "x", action="burn").status_code == 422


def test_a_draft_of_what_is_possible_no_more_stands_apart(ministry, register) -> None:
    appeal = register()
    typed(ministry, appeal, "Uzun javob")
    handling.dismiss(appeal, "29-modda", "gulnora", Handling.get_by_id(appeal.id).version)
    page = card(ministry, appeal)
    assert "Uzun javob" in page
    assert area(page) == ""


def test_drafts_are_known_by_their_appeal(bahodir: User, register) -> None:
    one, two = register(), register()
    answer_drafts.save(bahodir, one, "answer", "Javob")
    assert answer_drafts.begun(bahodir, [one, two]) == {one.id}


# form 1 in two tabs


def test_two_tabs_of_a_form_overwrite_nothing_of_each_other(login_as, nilufar) -> None:
    browser, token = login_as("nilufar"), appeals.token_for(nilufar, None)
    path, headers = f"/operator/forms/{token}", {"X-CSRFToken": browser.token()}
    begun = {"first_name": "Aziza", "applicant_kind": "person"}

    def save(values: dict[str, str], base: dict[str, str] | None):
        more = {} if base is None else {"base": base}
        return browser.post(path, json={"values": values} | more, headers=headers).json

    save(begun, None)
    one = begun | {"surname": "Karimova"}
    assert save(one, begun)["elsewhere"] == {}
    other = begun | {"address": "Navroʻz, 12-uy"}
    assert save(other, begun)["elsewhere"] == {"surname": "Karimova"}
    assert Draft.get().values == one | {"address": "Navroʻz, 12-uy"}
    emptied = save({"applicant_kind": "person"}, other | {"surname": "Karimova"})
    assert emptied["elsewhere"] == {}
    assert Draft.get().values == {"applicant_kind": "person"}
    assert "surname" in emptied["empty"]


def test_names_in_another_language_are_no_change(login_as, nilufar) -> None:
    browser, token = login_as("nilufar"), appeals.token_for(nilufar, None)
    appeals.save_draft(nilufar, token, FULL | {"region_text": "Самарқанд вилояти"})
    shown = FULL | {"region_text": "Samarqand viloyati"}
    sent = {"values": shown | {"gist": "Yangi"}, "base": shown}
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.post(f"/operator/forms/{token}", json=sent, headers=headers)
    assert answer.json["elsewhere"] == {}
    assert Draft.get().values["gist"] == "Yangi"


def test_an_old_page_without_a_base_saves_as_before(login_as, nilufar) -> None:
    token = appeals.token_for(nilufar, None)
    appeals.save_draft(nilufar, token, {"first_name": "Aziza"})
    appeals.save_draft(nilufar, token, {"surname": "K"}, typed_at=dt.datetime.now(dt.UTC))
    assert Draft.get().values == {"surname": "K"}
