"""A change made on its page names its change request, and the request shows the difference."""

import io
import re

import pytest

from appliance.casework import catalogs, departments, forms
from appliance.casework.changes import links, requests
from appliance.models import ChangeLink
from appliance.pbx import config
from appliance.telephony import directory, prompts, routing
from appliance.telephony.directory import DirectoryEntry
from appliance.web.settings import change_labels


@pytest.fixture
def change_request(bahodir, settings):
    """An open change request of the ministry."""
    calendar = catalogs.working_calendar(settings)
    return requests.create_change_request(
        bahodir, "routing", "Raqam oʻzgardi", "Eskisi ishlamaydi", calendar
    )


def changes_fragment(browser, change_request) -> str:
    """Return the fragment in which the request lists its changes."""
    return browser.get(f"/changes/{change_request.id}/done").text


def test_every_kind_of_link_has_a_label():
    assert set(change_labels.LINK_KIND_LABELS) == set(links.LINK_KINDS)


def test_changed_employee_is_linked_to_the_request(login_as, change_request):
    lola = directory.save_employee(DirectoryEntry("Lola Rashidova", "712390101"), "rustam")
    browser = login_as("technician")
    assert f'<option value="{change_request.id}">' in browser.get(f"/directory/{lola.id}").text
    form = {"name": "Lola Rashidova", "number": "712000600", "active": "1"}
    browser.send(f"/directory/{lola.id}", **form, request=change_request.id)
    page = changes_fragment(login_as("ministry"), change_request)
    for text in ("Lola Rashidova", "712390101", "712000600", "Rustam Tursunov"):
        assert text in page
    assert f'href="/directory/{lola.id}"' not in page  # the ministry cannot open it
    assert f'href="/directory/{lola.id}"' in changes_fragment(browser, change_request)


def test_refused_form_keeps_its_request(login_as, change_request):
    browser = login_as("manager")
    answer = browser.send("/directory", name="Lola", number="abc", request=change_request.id)
    assert f'<option value="{change_request.id}" selected>' in browser.refused_page(answer)
    assert ChangeLink.select().count() == 0


def test_department_and_its_directions_are_linked_to_the_request(login_as, change_request):
    browser = login_as("manager")
    names = {"name_uz_latn": "Bandlik boshqarmasi", "name_ru": "Управление занятости"}
    browser.send("/departments", **names, request=change_request.id)
    [department] = departments.list_departments()
    renamed = names | {"name_uz_latn": "Bandlik agentligi", "active": "1"}
    browser.send(f"/departments/{department.id}", **renamed, request=change_request.id)
    browser.send(
        "/departments/routes", **{"direction-subsidies": department.id}, request=change_request.id
    )
    kinds = [link.kind for link in links.links_of_request(change_request)]
    assert kinds == ["direction", "department", "department"]
    page = changes_fragment(browser, change_request)
    assert "Subsidiyalar olish" in page
    assert "Bandlik boshqarmasi" in page
    assert "Bandlik agentligi" in page


def test_prompt_put_in_force_is_linked_to_the_request(login_as, change_request, settings):
    folder, browser = settings.paths.prompts, login_as("technician")
    prompts.speak_text(folder, "uz", "thanks", "Rahmat", "rustam", in_force=False)
    assert f'<option value="{change_request.id}">' in browser.get("/prompts/uz/thanks").text
    version = prompts.list_versions("uz", "thanks")[0].number
    browser.send("/prompts/choose/uz/thanks", version=version, request=change_request.id)
    page = changes_fragment(browser, change_request)
    assert "Rahmat" in page
    assert 'href="/prompts/uz/thanks"' in page


def test_telephony_plan_put_in_force_is_linked_to_the_request(
    login_as, change_request, settings, monkeypatch
):
    monkeypatch.setattr(config, "verify_configuration", lambda settings, plan=None: None)
    browser = login_as("manager")
    fields = routing.section_fields(routing.current_plan(settings), "limits") | {
        "limits.calls": "10"
    }
    typed = {name: value for name, value in fields.items() if value} | {"seen": ""}
    page = browser.refused_page(browser.send("/telephony/limits", **typed))
    assert f'<option value="{change_request.id}">' in page
    browser.send("/telephony/limits", **typed, confirmed="1", request=change_request.id)
    [link] = links.links_of_request(change_request)
    assert (link.kind, link.ref) == ("routing", str(routing.newest_version().id))
    page = changes_fragment(browser, change_request)
    assert ">10</td>" in page
    assert f'href="/telephony/versions/{link.ref}"' in page


def test_new_secret_is_linked_without_its_value(login_as, change_request, settings, monkeypatch):
    monkeypatch.setattr(config, "verify_configuration", lambda settings, plan=None: None)
    browser = login_as("manager")
    fields = routing.section_fields(routing.current_plan(settings), "trunks")
    fields |= {"trunks.0.user": "u", "trunks.0.password": "maxfiy-soz"}
    typed = {name: value for name, value in fields.items() if value} | {"seen": ""}
    browser.send("/telephony/trunks", **typed, confirmed="1", request=change_request.id)
    newest = routing.newest_version()
    again = typed | {"seen": newest.id, "trunks.0.password": "boshqa-maxfiy"}
    browser.send("/telephony/trunks", **again, confirmed="1", request=change_request.id)
    first, second = reversed(links.links_of_request(change_request))
    assert list(second.after.values()) == ["…"]
    for link in (first, second):
        assert "maxfiy" not in f"{link.before}{link.after}"


def test_change_without_a_request_is_not_linked(login_as, change_request):
    browser = login_as("technician")
    for number in ("", "7", "x", str(2**70)):
        browser.send("/directory", name="Lola", number="712390101", request=number)
    assert ChangeLink.select().count() == 0


def test_finished_request_accepts_no_link(login_as, change_request, rustam):
    browser = login_as("technician")
    requests.perform_request_action("accept", change_request, rustam, 1)
    requests.perform_request_action("finish", change_request, rustam, 2, "Tayyor")
    answer = browser.send("/directory", name="Lola", number="712390101", request=change_request.id)
    assert "allaqachon bajarilgan" in browser.get(answer.headers["Location"]).text
    assert ChangeLink.select().count() == 0
    assert "request" not in browser.get("/directory").text.split("<main")[1]


def test_list_and_its_values_are_linked_to_the_request(login_as, change_request):
    browser = login_as("manager")
    names = {"name_uz_latn": "Qayerdan bilgan", "name_ru": "Откуда узнал"}
    browser.send("/lists", **names, request=change_request.id)
    list_url = "/lists/qayerdan_bilgan"
    assert f'<option value="{change_request.id}">' in browser.get(list_url).text
    value = {"name_uz_latn": "Televizor", "name_ru": "Телевидение"}
    browser.send(list_url, **value, request=change_request.id)
    [item] = catalogs.list_items("qayerdan_bilgan")
    assert item.name_uz_cyrl == "Телевизор"  # transliterated from the Latin name
    browser.send(
        f"{list_url}/{item.id}", **value | {"active_until": "31.12.2027"}, request=change_request.id
    )
    browser.send(f"{list_url}/{item.id}/retire", **value, request=change_request.id)
    header = "code,position,name_uz_latn,name_uz_cyrl,name_ru,active\n"
    sheet = (
        f"{header}radio,2,Radio,Радио,Радио,1\ntelevizor,1,Oynayi jahon,Ойнаи жаҳон,Телевидение,1\n"
    )
    answer = browser.send(f"{list_url}/file", file=(io.BytesIO(sheet.encode()), "list.csv"))
    refusal_token = answer.headers["Location"].partition("refused=")[2]
    browser.send(f"{list_url}/import?refused={refusal_token}", request=change_request.id)
    assert [(link.kind, link.ref) for link in reversed(links.links_of_request(change_request))] == [
        ("list", "qayerdan_bilgan"),
        *[("list", "qayerdan_bilgan/televizor")] * 3,
        ("list", "qayerdan_bilgan"),
    ]
    page = changes_fragment(browser, change_request)
    for text in ("31.12.2027", "Oynayi jahon · Oʻzbekcha nomi", "Radio", f'href="{list_url}"'):
        assert text in page
    assert f'href="{list_url}"' not in changes_fragment(login_as("ministry"), change_request)


def test_form_put_in_force_is_linked_to_the_request(login_as, change_request):
    browser = login_as("manager")
    browser.send("/forms/2/draft")

    def draft_mark() -> str:
        return re.search(r'name="seen" value="(\w+)"', browser.get("/forms/2").text)[1]

    labels = {"label-uz_Latn": "Qayerdan bilgan", "label-uz_Cyrl": "", "label-ru": "Откуда узнал"}
    browser.send("/forms/2/fields", seen=draft_mark(), kind="text", **labels)
    assert f'<option value="{change_request.id}">' in browser.get("/forms/2").text
    browser.send("/forms/2/draft/put", seen=draft_mark(), request=change_request.id)
    assert (
        forms.definition_in_force("2").find_field("qayerdan_bilgan").label["uz_Cyrl"]
        == "Қаердан билган"
    )
    [link] = links.links_of_request(change_request)
    assert (link.kind, link.ref) == ("form", "2/2")
    page = changes_fragment(browser, change_request)
    assert "Qayerdan bilgan; Қаердан билган; Откуда узнал; Matn" in page
    assert 'href="/forms/2/versions/2?against=1"' in page
    assert "Qayerdan bilgan" in changes_fragment(login_as("ministry"), change_request)
