"""The page *Forms*: fields are added by the manager, tried, put in force; nothing typed is lost."""

import re
from typing import Any

import pytest
from werkzeug.test import TestResponse

from appliance.casework import forms
from appliance.casework.forms import editing
from appliance.core.i18n import LOCALES
from appliance.models import FormVersion
from appliance.people import accounts
from tests.rig.browser import Browser

FIELD = {
    "label-uz_Latn": "Ish staji",
    "label-uz_Cyrl": "Иш стажи",
    "label-ru": "Стаж работы",
    "kind": "number",
}


@pytest.fixture
def manager(login_as) -> Browser:
    """The manager, with a draft of form №1."""
    browser: Browser = login_as("manager")
    assert browser.send("/forms/1/draft").status_code == 302
    return browser


def seen() -> str:
    row = editing.pending(forms.APPEAL)
    return editing.mark(row) if row else ""


def add(browser: Browser, **fields: Any) -> TestResponse:
    return browser.send("/forms/1/fields", seen=seen(), **(FIELD | fields))


def names() -> list[str]:
    row = editing.pending(forms.APPEAL)
    assert row
    return [field.name for field in forms.definition_of(row).fields]


def test_a_field_is_added_and_put_in_force(manager) -> None:
    answer = add(manager, **{"required": "on", "topics": ["subsidies"], "help-ru": "В годах"})
    assert answer.status_code == 302
    page = manager.get("/forms/1").text
    assert "Ish staji" in page
    assert "qoʻshilgan" in page
    manager.send("/forms/1/draft/put", seen=seen())
    field = forms.in_force(forms.APPEAL).field("ish_staji")
    assert field
    assert (field.kind, field.required, field.topics) == ("number", True, ("subsidies",))
    assert field.helped("ru") == "В годах"
    assert editing.pending(forms.APPEAL) is None


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("form", ["1", "2"])
def test_every_page_is_there_in_every_language(manager, sherzod, locale, form) -> None:
    accounts.choose_language(sherzod, locale)
    if form == "2":
        manager.send("/forms/2/draft")
    for page in ("", "/preview", "/fields/new", "/fields/gist", "/versions/1"):
        answer = manager.get(f"/forms/{form}{page}")
        assert answer.status_code == 200, page
        assert forms.product(form).field("gist").called(locale) in answer.text or "new" in page


def test_what_cannot_be_says_why_and_keeps_what_was_typed(manager) -> None:
    page = manager.refused(
        add(manager, **{"label-ru": "", "ministry": "staj", "topics": "subsidies"})
    )
    assert "Ish staji" in page
    assert "uchala tilda" in page
    assert 'value="staj"' in page
    assert re.search(r'value="subsidies"\s+checked', page)
    assert 'value="number" selected' in page
    assert "ish_staji" not in names()


def test_two_managers_at_once_overwrite_nothing(manager) -> None:
    before = seen()
    add(manager)
    late = manager.send("/forms/1/fields", seen=before, **(FIELD | {"label-uz_Latn": "Boshqa"}))
    page = manager.refused(late)
    assert "boshqa xodim" in page
    assert 'value="Boshqa"' in page
    assert "boshqa" not in names()
    again = re.search(r'name="seen"\s+value="([^"]+)"', page)
    assert again
    assert again[1] == seen()  # sent once more, it is taken


def test_answers_are_typed_in_three_languages(manager) -> None:
    answers = {
        "kind": "choice",
        "option-code": ["", "", ""],
        "option-uz_Latn": ["Ha", "Yo'q", ""],
        "option-uz_Cyrl": ["Ҳа", "Йўқ", ""],
        "option-ru": ["Да", "Нет", ""],
    }
    assert add(manager, **answers).status_code == 302
    row = editing.pending(forms.APPEAL)
    assert row
    field = forms.definition_of(row).field("ish_staji")
    assert field
    assert [(o.code, o.words["uz_Latn"]) for o in field.options] == [("ha", "Ha"), ("yoq", "Yoʻq")]
    page = manager.get("/forms/1/fields/ish_staji").text
    assert 'name="option-code" value="yoq"' in page
    half = answers | {"option-ru": ["Да", "", ""]}
    refused = manager.refused(add(manager, **half))
    assert 'value="Йўқ"' in refused


def test_fields_are_moved_and_left_out(manager) -> None:
    add(manager)
    manager.send("/forms/1/fields/ish_staji/up", seen=seen())
    assert names()[-2:] == ["ish_staji", "gist"]
    manager.send("/forms/1/fields/ish_staji/down", seen=seen())
    assert names()[-1] == "ish_staji"
    manager.send("/forms/1/fields/ish_staji/remove", seen=seen())
    assert "ish_staji" not in names()
    refused = manager.refused(manager.send("/forms/1/fields/gist/remove", seen=seen()))
    assert "hisobotlar" in refused
    assert "gist" in names()


def test_a_field_of_the_product_keeps_its_kind(manager) -> None:
    sent = FIELD | {"seen": seen(), "required": "on"}
    assert manager.send("/forms/1/fields/employment", **sent).status_code == 302
    row = editing.pending(forms.APPEAL)
    assert row
    field = forms.definition_of(row).field("employment")
    assert field
    assert (field.kind, field.label["uz_Latn"]) == ("list", "Ish staji")
    assert 'name="kind"' not in manager.get("/forms/1/fields/employment").text
    assert "Ish staji / Иш стажи / Стаж работы" in manager.get("/forms/1").text


def test_a_version_is_planned_withdrawn_and_thrown_away(manager) -> None:
    add(manager)
    for wrong in ({"day": "32.01.2027"}, {"day": "01.01.2027", "hour": "9"}, {"hour": "09:00"}):
        refused = manager.refused(manager.send("/forms/1/draft/put", seen=seen(), **wrong))
        assert "kk.oo.yyyy" in refused
        assert next(iter(wrong.values())) in refused
    past = manager.send("/forms/1/draft/put", seen=seen(), day="01.01.2020")
    assert "oʻtib ketgan" in manager.refused(past)
    manager.send("/forms/1/draft/put", seen=seen(), day="01.02.2099", hour="09:30")
    row = editing.pending(forms.APPEAL)
    assert row
    assert row.since is not None
    assert row.since.isoformat().startswith("2099-02-01T04:30")
    assert manager.get("/forms/1/fields/new").status_code == 404
    manager.send("/forms/1/draft/withdraw", seen=seen())
    manager.send("/forms/1/draft/discard", seen=seen())
    assert FormVersion.select().where(FormVersion.form == "1").count() == 1


def test_an_earlier_version_comes_back(manager) -> None:
    add(manager)
    manager.send("/forms/1/draft/put", seen=seen())
    page = manager.get("/forms/1/versions/2?against=1").text
    assert "Ish staji" in page
    manager.send("/forms/1/draft", number="1")
    manager.send("/forms/1/draft/put", seen=seen())
    assert forms.in_force(forms.APPEAL).version == 3
    assert not forms.in_force(forms.APPEAL).field("ish_staji")
    assert manager.get("/forms/1/versions/9").status_code == 404
    assert manager.send("/forms/1/draft", number="9").status_code == 404
    assert manager.get(f"/forms/1/versions/2?against={10**30}").status_code == 200


def test_a_form_is_tried_and_nothing_is_kept(manager) -> None:
    add(manager, required="on")
    page = manager.get("/forms/1/preview").text
    assert 'name="ish_staji"' in page
    values = {"ish_staji": "koʻp", "region_text": "Atlantida"}
    answer = manager.post(
        "/forms/1/preview", json={"values": values}, headers={"X-CSRFToken": manager.token()}
    )
    told = answer.get_json()
    assert told["doubts"] == {"ish_staji": "Son emas", "region": "Roʻyxatda yoʻq"}
    assert "first_name" in told["empty"]


@pytest.mark.parametrize("role", ["supervisor", "technician"])
def test_who_may_only_see_finds_nothing_to_press(login_as, manager, role) -> None:
    add(manager)
    browser = login_as(role)
    page = browser.get("/forms", follow_redirects=True).text
    assert "Ish staji" in page
    main = page.split("<main")[1].split("</main>")[0]
    assert "<form" not in main
    assert browser.get("/forms/1/preview").status_code == 200
