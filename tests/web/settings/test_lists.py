"""The pages of lists: who may see and edit them, and the preview of an uploaded file."""

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


def youth_value() -> CatalogItem:
    return CatalogItem.get(CatalogItem.catalog == "group", CatalogItem.code == "youth")


def test_lists_are_shown_with_their_counts(manager: Browser) -> None:
    page = manager.get("/lists").text
    assert re.findall(r'href="/lists/(\w+)"', page) == list(catalogs.CATALOGS)
    assert "Qoʻngʻiroq turi" in page
    assert "208" in page  # districts


def test_supervisor_can_read_lists_but_not_change_them(login_as) -> None:
    browser = login_as("supervisor")
    page = browser.get("/lists/group").text
    assert "Yoshlar" in page
    assert "/lists/group/file" not in page
    assert 'action="/lists' not in browser.get("/lists").text
    assert browser.send("/lists/group", **NAMES).status_code == 403


def test_value_can_be_added_changed_and_retired(manager: Browser) -> None:
    assert manager.send("/lists/group", **NAMES, active_from="01.01.2027").status_code == 302
    item = CatalogItem.get(CatalogItem.code == "talabalar")
    assert "01.01.2027" in manager.get(f"/lists/group/{item.id}").text
    manager.send(f"/lists/group/{item.id}", **(NAMES | {"name_ru": "Учащиеся"}))
    assert CatalogItem.get_by_id(item.id).name_ru == "Учащиеся"
    manager.send(f"/lists/group/{item.id}/retire")
    assert not CatalogItem.get_by_id(item.id).active
    manager.send(f"/lists/group/{item.id}/restore")
    assert CatalogItem.get_by_id(item.id).active


@pytest.mark.parametrize(
    ("changed_fields", "message"),
    [
        ({"name_uz_cyrl": "Talabalar"}, "lotincha harflar bor"),
        ({"name_uz_latn": "Yoshlar"}, "boshqa qiymatning nomi shunday"),
        ({"active_until": "erta"}, "Sana 31.12.2027 koʻrinishida"),
        ({"name_ru": ""}, "uch tilda"),
    ],
)
def test_invalid_value_is_reported_and_typed_values_are_kept(
    manager, changed_fields, message
) -> None:
    page = manager.refused_page(
        manager.send("/lists/group", **(NAMES | {"code": "stud"} | changed_fields))
    )
    assert 'role="alert"' in page
    assert message in page
    assert 'value="stud"' in page
    assert CatalogItem.select().where(CatalogItem.code == "stud").count() == 0


def test_value_of_another_list_is_not_found(manager: Browser) -> None:
    assert manager.get(f"/lists/direction/{youth_value().id}").status_code == 404
    assert manager.get("/lists/nothing").status_code == 404


def test_custom_list_can_be_added_and_offers_its_values(manager: Browser, login_as) -> None:
    list_url = manager.send("/lists", **NAMES).headers["Location"]
    assert list_url == "/lists/talabalar"
    manager.send(list_url, **(NAMES | {"name_uz_latn": "Birinchi"}))
    options = login_as("operator").get("/choices/talabalar?q=bir").json
    assert [option["name"] for option in options] == ["Birinchi"]
    manager.send(f"{list_url}/names", **(NAMES | {"name_uz_latn": "Oʻquvchilar"}))
    assert "Oʻquvchilar" in manager.get("/lists").text


def upload_file(browser: Browser, text: str, name: str = "group"):
    fields = {"csrf_token": browser.token(), "file": (io.BytesIO(text.encode()), "list.csv")}
    return browser.post(f"/lists/{name}/file", data=fields, content_type="multipart/form-data")


def test_exported_file_is_previewed_before_its_import(manager: Browser) -> None:
    text = manager.get("/lists/group/list.csv").text
    assert text.startswith("\ufeffcode,position,")
    page = manager.refused_page(upload_file(manager, text.replace("Молодёжь", "Молодые люди")))
    assert "<del>Молодёжь</del> <ins>Молодые люди</ins>" in page
    assert youth_value().name_ru == "Молодёжь"
    action = re.search(r'action="(/lists/group/import\?refused=[^"]+)"', page)[1]
    assert manager.send(action).status_code == 302
    assert youth_value().name_ru == "Молодые люди"
    assert 'role="alert"' in manager.refused_page(manager.send(action))  # works only once


def test_previewed_file_is_not_imported_after_another_change(manager: Browser) -> None:
    text = manager.get("/lists/group/list.csv").text
    page = manager.refused_page(upload_file(manager, text.replace("Молодёжь", "Молодые люди")))
    action = re.search(r'action="(/lists/group/import\?refused=[^"]+)"', page)[1]
    manager.send(f"/lists/group/{youth_value().id}/up")
    assert 'role="alert"' in manager.refused_page(manager.send(action))
    assert youth_value().name_ru == "Молодёжь"


def test_invalid_file_is_refused_with_its_line(manager: Browser) -> None:
    text = manager.get("/lists/group/list.csv").text
    page = manager.refused_page(upload_file(manager, text.replace("Ёшлар", "Yoshlar")))
    line = next(n for n, row in enumerate(text.splitlines(), 1) if "Ёшлар" in row)
    assert f"{line}-qator" in page
    assert "lotincha harflar bor" in page
    assert 'role="alert"' in manager.refused_page(upload_file(manager, "\x00"))
