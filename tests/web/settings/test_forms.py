"""The page *Forms*: the manager adds fields, tries them and puts them in force; input is kept."""

import html
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


def draft_mark() -> str:
    row = editing.pending_version(forms.APPEAL_FORM)
    return editing.version_fingerprint(row) if row else ""


def add_field(browser: Browser, **fields: Any) -> TestResponse:
    return browser.send("/forms/1/fields", seen=draft_mark(), **(FIELD | fields))


def draft_field_names() -> list[str]:
    row = editing.pending_version(forms.APPEAL_FORM)
    assert row
    return [field.name for field in forms.stored_definition(row).fields]


def test_field_is_added_and_put_in_force(manager) -> None:
    answer = add_field(manager, **{"required": "on", "topics": ["subsidies"], "help-ru": "В годах"})
    assert answer.status_code == 302
    page = manager.get("/forms/1").text
    assert "Ish staji" in page
    assert "qoʻshilgan" in page
    manager.send("/forms/1/draft/put", seen=draft_mark())
    field = forms.definition_in_force(forms.APPEAL_FORM).find_field("ish_staji")
    assert field
    assert (field.kind, field.required, field.topics) == ("number", True, ("subsidies",))
    assert field.localized_help("ru") == "В годах"
    assert editing.pending_version(forms.APPEAL_FORM) is None


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("form", ["1", "2"])
def test_every_page_opens_in_every_language(manager, sherzod, locale, form) -> None:
    accounts.choose_language(sherzod, locale)
    if form == "2":
        manager.send("/forms/2/draft")
    for page in ("", "/preview", "/fields/new", "/fields/gist", "/versions/1"):
        answer = manager.get(f"/forms/{form}{page}")
        assert answer.status_code == 200, page
        assert (
            forms.product_definition(form).find_field("gist").localized_label(locale) in answer.text
            or "new" in page
        )


def test_invalid_field_is_reported_and_typed_values_are_kept(manager) -> None:
    page = manager.refused_page(
        add_field(manager, **{"label-ru": "", "ministry": "staj", "topics": "subsidies"})
    )
    assert "Ish staji" in page
    assert "uchala tilda" in page
    assert 'value="staj"' in page
    assert re.search(r'value="subsidies"\s+checked', page)
    assert 'value="number" selected' in page
    assert "ish_staji" not in draft_field_names()


def test_outdated_form_does_not_overwrite_a_newer_change(manager) -> None:
    before = draft_mark()
    add_field(manager)
    late = manager.send("/forms/1/fields", seen=before, **(FIELD | {"label-uz_Latn": "Boshqa"}))
    page = manager.refused_page(late)
    assert "boshqa xodim" in page
    assert 'value="Boshqa"' in page
    assert "boshqa" not in draft_field_names()
    again = re.search(r'name="seen"\s+value="([^"]+)"', page)
    assert again
    assert again[1] == draft_mark()  # if it is sent again, it is accepted


def test_answers_are_needed_in_three_languages(manager) -> None:
    answers = {
        "kind": "choice",
        "option-code": ["", "", ""],
        "option-uz_Latn": ["Ha", "Yo'q", ""],
        "option-uz_Cyrl": ["Ҳа", "Йўқ", ""],
        "option-ru": ["Да", "Нет", ""],
    }
    assert add_field(manager, **answers).status_code == 302
    row = editing.pending_version(forms.APPEAL_FORM)
    assert row
    field = forms.stored_definition(row).find_field("ish_staji")
    assert field
    assert [(o.code, o.words["uz_Latn"]) for o in field.options] == [("ha", "Ha"), ("yoq", "Yoʻq")]
    page = manager.get("/forms/1/fields/ish_staji").text
    assert 'name="option-code" value="yoq"' in page
    half = answers | {"option-ru": ["Да", "", ""]}
    refused = manager.refused_page(add_field(manager, **half))
    assert 'value="Йўқ"' in refused


def test_fields_can_be_moved_and_removed(manager) -> None:
    add_field(manager)
    manager.send("/forms/1/fields/ish_staji/up", seen=draft_mark())
    assert draft_field_names()[-2:] == ["ish_staji", "gist"]
    manager.send("/forms/1/fields/ish_staji/down", seen=draft_mark())
    assert draft_field_names()[-1] == "ish_staji"
    manager.send("/forms/1/fields/ish_staji/remove", seen=draft_mark())
    assert "ish_staji" not in draft_field_names()
    refused = manager.refused_page(manager.send("/forms/1/fields/gist/remove", seen=draft_mark()))
    assert "hisobotlar" in refused
    assert "gist" in draft_field_names()


def test_field_of_the_product_keeps_its_kind(manager) -> None:
    form = FIELD | {"seen": draft_mark(), "required": "on"}
    assert manager.send("/forms/1/fields/employment", **form).status_code == 302
    row = editing.pending_version(forms.APPEAL_FORM)
    assert row
    field = forms.stored_definition(row).find_field("employment")
    assert field
    assert (field.kind, field.label["uz_Latn"]) == ("list", "Ish staji")
    assert 'name="kind"' not in manager.get("/forms/1/fields/employment").text
    assert "Ish staji / Иш стажи / Стаж работы" in manager.get("/forms/1").text


def test_version_can_be_planned_withdrawn_and_discarded(manager) -> None:
    add_field(manager)
    for wrong in ({"day": "32.01.2027"}, {"day": "01.01.2027", "hour": "9"}, {"hour": "09:00"}):
        refused = manager.refused_page(
            manager.send("/forms/1/draft/put", seen=draft_mark(), **wrong)
        )
        assert "kk.oo.yyyy" in refused
        assert next(iter(wrong.values())) in refused
    past = manager.send("/forms/1/draft/put", seen=draft_mark(), day="01.01.2020")
    assert "oʻtib ketgan" in manager.refused_page(past)
    manager.send("/forms/1/draft/put", seen=draft_mark(), day="01.02.2099", hour="09:30")
    row = editing.pending_version(forms.APPEAL_FORM)
    assert row
    assert row.since is not None
    assert row.since.isoformat().startswith("2099-02-01T04:30")
    assert manager.get("/forms/1/fields/new").status_code == 404
    manager.send("/forms/1/draft/withdraw", seen=draft_mark())
    manager.send("/forms/1/draft/discard", seen=draft_mark())
    assert FormVersion.select().where(FormVersion.form == "1").count() == 1


def test_earlier_version_can_be_put_in_force_again(manager) -> None:
    add_field(manager)
    manager.send("/forms/1/draft/put", seen=draft_mark())
    page = manager.get("/forms/1/versions/2?against=1").text
    assert "Ish staji" in page
    manager.send("/forms/1/draft", number="1")
    manager.send("/forms/1/draft/put", seen=draft_mark())
    assert forms.definition_in_force(forms.APPEAL_FORM).version == 3
    assert not forms.definition_in_force(forms.APPEAL_FORM).find_field("ish_staji")
    assert manager.get("/forms/1/versions/9").status_code == 404
    assert manager.send("/forms/1/draft", number="9").status_code == 404
    assert manager.get(f"/forms/1/versions/2?against={10**30}").status_code == 200


def test_preview_reports_doubts_and_stores_nothing(manager) -> None:
    add_field(manager, required="on")
    page = manager.get("/forms/1/preview").text
    assert 'name="ish_staji"' in page
    values = {"ish_staji": "koʻp", "region_text": "Atlantida"}
    answer = manager.post(
        "/forms/1/preview", json={"values": values}, headers={"X-CSRFToken": manager.token()}
    )
    report = answer.get_json()
    assert report["doubts"] == {"ish_staji": "Son emas", "region": "Roʻyxatda yoʻq"}
    assert "first_name" in report["empty"]


@pytest.mark.parametrize("role", ["supervisor", "technician"])
def test_read_only_roles_see_no_buttons(login_as, manager, role) -> None:
    add_field(manager)
    browser = login_as(role)
    page = browser.get("/forms", follow_redirects=True).text
    assert "Ish staji" in page
    main = page.split("<main")[1].split("</main>")[0]
    assert "<form" not in main
    assert browser.get("/forms/1/preview").status_code == 200


def test_differences_from_the_terms_of_reference_are_shown(login_as) -> None:
    browser = login_as("manager")
    page = html.unescape(browser.get("/forms/1").text).replace("\u00a0", " ")
    assert "PIRFL" in page
    assert "Murojaat ushlovligi * (O'choq murojaat / Shaxsiy murojaat)" in page
    assert "Murojaat ochiqligi * (Ochiq murojaat / Shaxsiy murojaat)" in page
    assert "Loyiha rahbari oʻzgartirgan." not in page


def test_a_changed_label_is_listed_as_the_managers_difference(manager) -> None:
    employment = {"label-uz_Latn": "Bandlik", "label-uz_Cyrl": "Бандлик", "label-ru": "Занятость"}
    values = employment | {"seen": draft_mark(), "required": "on"}
    manager.send("/forms/1/fields/employment", **values)
    page = manager.get("/forms/1").text.replace("\u00a0", " ")
    assert "ish bilan bandligi *" in page
    assert "Bandlik *" in page
    assert "Loyiha rahbari oʻzgartirgan." in page
