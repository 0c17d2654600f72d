"""An answer that is written but not sent is kept as a draft until it is sent or emptied."""

import datetime as dt

import pytest

from appliance.casework.appeals import answer_drafts, handling
from appliance.casework.forms import drafts
from appliance.models import AnswerDraft, Appeal, Draft, Handling, User
from tests.rig.appeals import FULL_FORM
from tests.rig.browser import Browser


@pytest.fixture
def ministry(login_as) -> Browser:
    """Bahodir's browser."""
    return login_as("bahodir")


def post_draft(browser: Browser, appeal: Appeal, text: str, last_saved_at: str = "", **more):
    """Send what the page's script sends while a user types."""
    sent = {"action": "answer", "text": text, "department": "", "seen": last_saved_at} | more
    headers = {"X-CSRFToken": browser.token()}
    return browser.post(f"/appeals/{appeal.number}/draft", json=sent, headers=headers)


def card_page(browser: Browser, appeal: Appeal) -> str:
    return browser.get(f"/appeals/{appeal.number}").text


def answer_text(page: str) -> str:
    return page.split('id="text"')[1].split(">", 1)[1].split("</textarea>")[0]


def test_an_unsent_answer_is_shown_on_return(ministry, login_as, register) -> None:
    appeal, other = register(), register()
    assert post_draft(ministry, appeal, "Yarim javob", action="interim").status_code == 200
    for browser in (ministry, login_as("bahodir")):  # another session, on another computer
        page = card_page(browser, appeal)
        assert answer_text(page) == "Yarim javob"
        assert 'value="interim" checked' in page
        assert "Qoralama saqlandi" in page
    assert answer_text(card_page(ministry, other)) == ""
    rows = ministry.get("/appeals").text.split("<li id=")
    marked = [row for row in rows if "Qoralama" in row]
    assert len(marked) == 1
    assert appeal.number in marked[0]


def test_a_draft_is_visible_to_its_author_only(ministry, login_as, register) -> None:
    appeal = register()
    post_draft(ministry, appeal, "Yarim javob")
    assert "Yarim javob" not in card_page(login_as("supervisor"), appeal)
    assert post_draft(login_as("supervisor"), appeal, "x").status_code == 403


def test_a_draft_is_deleted_when_sent_or_emptied_and_kept_when_refused(ministry, register) -> None:
    sent, emptied, refused = register(), register(), register()
    for appeal in (sent, emptied, refused):
        post_draft(ministry, appeal, "Javob")
    step = {"action": "answer", "text": "Javob"}
    ministry.send(f"/appeals/{sent.number}/steps", version="1", **step)
    assert post_draft(ministry, emptied, " ", last=True).json["saved_at"] == ""
    ministry.send(f"/appeals/{refused.number}/steps", version="9", **step)
    assert [draft.appeal for draft in AnswerDraft.select()] == [refused]


def test_taking_an_appeal_keeps_the_draft(ministry, register) -> None:
    appeal = register()
    post_draft(ministry, appeal, "Javob")
    ministry.send(f"/appeals/{appeal.number}/steps", action="take", version="1")
    assert answer_text(card_page(ministry, appeal)) == "Javob"


def test_a_second_tab_overwrites_nothing(ministry, register) -> None:
    appeal = register()
    first = post_draft(ministry, appeal, "Birinchi").json["saved_at"]
    second = post_draft(ministry, appeal, "Birinchi va davomi", first).json["saved_at"]
    late = post_draft(ministry, appeal, "Ikkinchi oyna", first)
    assert late.status_code == 409
    assert "boshqa varaqda" in late.json["words"]
    assert AnswerDraft.get().text == "Birinchi va davomi"
    assert post_draft(ministry, appeal, "Birinchi, tugadi", second).status_code == 200
    assert post_draft(ministry, appeal, "Hech narsa", "bugun").status_code == 409
    assert post_draft(ministry, appeal, "x", action="burn").status_code == 422


def test_a_draft_of_an_impossible_answer_is_shown_separately(ministry, register) -> None:
    appeal = register()
    post_draft(ministry, appeal, "Uzun javob")
    handling.dismiss_appeal(appeal, "29-modda", "gulnora", Handling.get_by_id(appeal.id).version)
    page = card_page(ministry, appeal)
    assert "Uzun javob" in page
    assert answer_text(page) == ""


def test_drafts_are_found_by_their_appeal(bahodir: User, register) -> None:
    first, second = register(), register()
    answer_drafts.save_answer_draft(bahodir, first, "answer", "Javob")
    assert answer_drafts.appeal_ids_with_draft(bahodir, [first, second]) == {first.id}


# form 1 in two tabs


def test_two_tabs_of_a_form_do_not_overwrite_each_other(login_as, nilufar) -> None:
    browser, token = login_as("nilufar"), drafts.token_for(nilufar, None)
    path, headers = f"/operator/forms/{token}", {"X-CSRFToken": browser.token()}
    base_values = {"first_name": "Aziza", "applicant_kind": "person"}

    def save_form(values: dict[str, str], base: dict[str, str] | None):
        more = {} if base is None else {"base": base}
        return browser.post(path, json={"values": values} | more, headers=headers).json

    save_form(base_values, None)
    first_tab = base_values | {"surname": "Karimova"}
    assert save_form(first_tab, base_values)["elsewhere"] == {}
    second_tab = base_values | {"address": "Navroʻz, 12-uy"}
    assert save_form(second_tab, base_values)["elsewhere"] == {"surname": "Karimova"}
    assert Draft.get().values == first_tab | {"address": "Navroʻz, 12-uy"}
    emptied = save_form({"applicant_kind": "person"}, second_tab | {"surname": "Karimova"})
    assert emptied["elsewhere"] == {}
    assert Draft.get().values == {"applicant_kind": "person"}
    assert "surname" in emptied["empty"]


def test_names_in_another_language_are_not_a_change(login_as, nilufar) -> None:
    browser, token = login_as("nilufar"), drafts.token_for(nilufar, None)
    drafts.save_draft(nilufar, token, FULL_FORM | {"region_text": "Самарқанд вилояти"})
    displayed = FULL_FORM | {"region_text": "Samarqand viloyati"}
    sent = {"values": displayed | {"gist": "Yangi"}, "base": displayed}
    headers = {"X-CSRFToken": browser.token()}
    answer = browser.post(f"/operator/forms/{token}", json=sent, headers=headers)
    assert answer.json["elsewhere"] == {}
    assert Draft.get().values["gist"] == "Yangi"


def test_an_old_page_without_a_base_saves_as_before(login_as, nilufar) -> None:
    token = drafts.token_for(nilufar, None)
    drafts.save_draft(nilufar, token, {"first_name": "Aziza"})
    drafts.save_draft(nilufar, token, {"surname": "K"}, typed_at=dt.datetime.now(dt.UTC))
    assert Draft.get().values == {"surname": "K"}
