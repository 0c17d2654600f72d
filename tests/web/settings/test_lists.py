"""The pages of lists: who sees and keeps them, files shown before they are done."""

import io
import re

import pytest

from appliance.casework import catalogs
from appliance.models import CatalogItem
from tests.rig.browser import Browser

NAMES = {"name_uz_latn": "Talabalar", "name_uz_cyrl": "Талабалар", "name_ru": "Студенты"}


@pytest.fixture
def manager(login_as) -> Browser:
    return login_as("manager")


def youth() -> CatalogItem:
    return CatalogItem.get(CatalogItem.catalog == "group", CatalogItem.code == "youth")


def test_the_lists_with_their_counts(manager: Browser) -> None:
    page = manager.get("/lists").text
    assert re.findall(r'href="/lists/(\w+)"', page) == list(catalogs.CATALOGS)
    assert "Qoʻngʻiroq turi" in page
    assert "208" in page  # districts


def test_a_supervisor_reads_and_changes_nothing(login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get("/lists/group").text
    assert "Yoshlar" in page
    assert "/lists/group/file" not in page
    assert 'action="/lists' not in browser.get("/lists").text
    assert browser.send("/lists/group", **NAMES).status_code == 403


def test_a_value_is_added_changed_and_retired(manager: Browser) -> None:
    assert manager.send("/lists/group", **NAMES, active_from="01.01.2027").status_code == 302
    made = CatalogItem.get(CatalogItem.code == "talabalar")
    assert "01.01.2027" in manager.get(f"/lists/group/{made.id}").text
    manager.send(f"/lists/group/{made.id}", **(NAMES | {"name_ru": "Учащиеся"}))
    assert CatalogItem.get_by_id(made.id).name_ru == "Учащиеся"
    manager.send(f"/lists/group/{made.id}/retire")
    assert not CatalogItem.get_by_id(made.id).active
    manager.send(f"/lists/group/{made.id}/restore")
    assert CatalogItem.get_by_id(made.id).active


@pytest.mark.parametrize(
    ("other", "said"),
    [
        ({"name_uz_cyrl": "Talabalar"}, "lotincha harflar bor"),
        ({"name_uz_latn": "Yoshlar"}, "boshqa qiymatning nomi shunday"),
        ({"active_until": "erta"}, "Sana 31.12.2027 koʻrinishida"),
        ({"name_ru": ""}, "uch tilda"),
    ],
)
def test_what_is_wrong_is_said_and_what_was_typed_stays(manager, other, said) -> None:
    page = manager.refused(manager.send("/lists/group", **(NAMES | {"code": "stud"} | other)))
    assert 'role="alert"' in page
    assert said in page
    assert 'value="stud"' in page
    assert CatalogItem.select().where(CatalogItem.code == "stud").count() == 0


def test_a_value_of_another_list_is_no_value_of_this(manager: Browser) -> None:
    assert manager.get(f"/lists/direction/{youth().id}").status_code == 404
    assert manager.get("/lists/nothing").status_code == 404


def test_an_own_list_is_added_and_chosen_from(manager: Browser, login_as) -> None:
    there = manager.send("/lists", **NAMES).headers["Location"]
    assert there == "/lists/talabalar"
    manager.send(there, **(NAMES | {"name_uz_latn": "Birinchi"}))
    found = login_as("operator").get("/choices/talabalar?q=bir").json
    assert [option["name"] for option in found] == ["Birinchi"]
    manager.send(f"{there}/names", **(NAMES | {"name_uz_latn": "Oʻquvchilar"}))
    assert "Oʻquvchilar" in manager.get("/lists").text


def upload(browser: Browser, text: str, name: str = "group"):
    fields = {"csrf_token": browser.token(), "file": (io.BytesIO(text.encode()), "list.csv")}
    return browser.post(f"/lists/{name}/file", data=fields, content_type="multipart/form-data")


def test_a_file_goes_out_and_comes_back_shown_first(manager: Browser) -> None:
    text = manager.get("/lists/group/list.csv").text
    assert text.startswith("\ufeffcode,position,")
    page = manager.refused(upload(manager, text.replace("Молодёжь", "Молодые люди")))
    assert "<del>Молодёжь</del> <ins>Молодые люди</ins>" in page
    assert youth().name_ru == "Молодёжь"
    action = re.search(r'action="(/lists/group/import\?refused=[^"]+)"', page)[1]
    assert manager.send(action).status_code == 302
    assert youth().name_ru == "Молодые люди"
    assert 'role="alert"' in manager.refused(manager.send(action))  # once


def test_a_file_is_not_done_after_another_change(manager: Browser) -> None:
    text = manager.get("/lists/group/list.csv").text
    page = manager.refused(upload(manager, text.replace("Молодёжь", "Молодые люди")))
    action = re.search(r'action="(/lists/group/import\?refused=[^"]+)"', page)[1]
    manager.send(f"/lists/group/{youth().id}/up")
    assert 'role="alert"' in manager.refused(manager.send(action))
    assert youth().name_ru == "Молодёжь"


def test_a_wrong_file_is_refused_with_its_line(manager: Browser) -> None:
    text = manager.get("/lists/group/list.csv").text
    page = manager.refused(upload(manager, text.replace("Ёшлар", "Yoshlar")))
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "Ёшлар" in row)
    assert f"{line}-qator" in page
    assert "lotincha harflar bor" in page
    assert 'role="alert"' in manager.refused(upload(manager, "\x00"))
