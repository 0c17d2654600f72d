"""A change made on its page names its request, and stands there with the difference."""

import io
import re

import pytest

from appliance.casework import catalogs, changes, departments, forms
from appliance.casework.changes import links
from appliance.models import ChangeLink
from appliance.pbx import config
from appliance.telephony import directory, prompts, routing
from appliance.telephony.directory import Entry
from appliance.web.settings import change_words


@pytest.fixture
def asked(bahodir, settings):
    """An open request of the ministry."""
    calendar = catalogs.working_calendar(settings)
    return changes.ask(bahodir, "routing", "Raqam oʻzgardi", "Eskisi ishlamaydi", calendar)


def shown(browser, asked) -> str:
    """What the request says was changed."""
    return browser.get(f"/changes/{asked.id}/done").text


def test_every_kind_of_link_has_its_words():
    assert set(change_words.THINGS) == set(links.KINDS)


def test_an_employee_changed_for_a_request(login_as, asked):
    lola = directory.save(Entry("Lola Rashidova", "712390101"), "rustam")
    browser = login_as("technician")
    assert f'<option value="{asked.id}">' in browser.get(f"/directory/{lola.id}").text
    form = {"name": "Lola Rashidova", "number": "712000600", "active": "1"}
    browser.send(f"/directory/{lola.id}", **form, request=asked.id)
    page = shown(login_as("ministry"), asked)
    for words in ("Lola Rashidova", "712390101", "712000600", "Rustam Tursunov"):
        assert words in page
    assert f'href="/directory/{lola.id}"' not in page  # the ministry cannot open it
    assert f'href="/directory/{lola.id}"' in shown(browser, asked)


def test_what_is_refused_keeps_its_request(login_as, asked):
    browser = login_as("manager")
    answer = browser.send("/directory", name="Lola", number="abc", request=asked.id)
    assert f'<option value="{asked.id}" selected>' in browser.refused(answer)
    assert ChangeLink.select().count() == 0


def test_a_department_and_its_directions(login_as, asked):
    browser = login_as("manager")
    names = {"name_uz_latn": "Bandlik boshqarmasi", "name_ru": "Управление занятости"}
    browser.send("/departments", **names, request=asked.id)
    [made] = departments.departments()
    renamed = names | {"name_uz_latn": "Bandlik agentligi", "active": "1"}
    browser.send(f"/departments/{made.id}", **renamed, request=asked.id)
    browser.send("/departments/routes", **{"direction-subsidies": made.id}, request=asked.id)
    kinds = [one.kind for one in links.of_request(asked)]
    assert kinds == ["direction", "department", "department"]
    page = shown(browser, asked)
    assert "Subsidiyalar olish" in page
    assert "Bandlik boshqarmasi" in page
    assert "Bandlik agentligi" in page


def test_a_prompt_put_in_force(login_as, asked, settings):
    folder, browser = settings.paths.prompts, login_as("technician")
    prompts.speak_text(folder, "uz", "thanks", "Rahmat", "rustam", in_force=False)
    assert f'<option value="{asked.id}">' in browser.get("/prompts/uz/thanks").text
    version = prompts.versions("uz", "thanks")[0].number
    browser.send("/prompts/choose/uz/thanks", version=version, request=asked.id)
    page = shown(browser, asked)
    assert "Rahmat" in page
    assert 'href="/prompts/uz/thanks"' in page


def test_the_telephony_put_in_force(login_as, asked, settings, monkeypatch):
    monkeypatch.setattr(config, "try_out", lambda settings, wanted=None: None)
    browser = login_as("manager")
    fields = routing.shown(routing.current(settings), "limits") | {"limits.calls": "10"}
    typed = {name: value for name, value in fields.items() if value} | {"seen": ""}
    page = browser.refused(browser.send("/telephony/limits", **typed))
    assert f'<option value="{asked.id}">' in page
    browser.send("/telephony/limits", **typed, confirmed="1", request=asked.id)
    [link] = links.of_request(asked)
    assert (link.kind, link.ref) == ("routing", str(routing.newest().id))
    page = shown(browser, asked)
    assert ">10</td>" in page
    assert f'href="/telephony/versions/{link.ref}"' in page


def test_a_new_secret_is_noted_and_not_shown(login_as, asked, settings, monkeypatch):
    monkeypatch.setattr(config, "try_out", lambda settings, wanted=None: None)
    browser = login_as("manager")
    fields = routing.shown(routing.current(settings), "trunks")
    fields |= {"trunks.0.user": "u", "trunks.0.password": "maxfiy-soz"}
    typed = {name: value for name, value in fields.items() if value} | {"seen": ""}
    browser.send("/telephony/trunks", **typed, confirmed="1", request=asked.id)
    newest = routing.newest()
    again = typed | {"seen": newest.id, "trunks.0.password": "boshqa-maxfiy"}
    browser.send("/telephony/trunks", **again, confirmed="1", request=asked.id)
    first, second = reversed(links.of_request(asked))
    assert list(second.after.values()) == ["…"]
    for link in (first, second):
        assert "maxfiy" not in f"{link.before}{link.after}"


def test_nothing_is_noted_without_a_request(login_as, asked):
    browser = login_as("technician")
    for number in ("", "7", "x", str(2**70)):
        browser.send("/directory", name="Lola", number="712390101", request=number)
    assert ChangeLink.select().count() == 0


def test_a_request_that_is_done_takes_no_change(login_as, asked, rustam):
    browser = login_as("technician")
    changes.do("accept", asked, rustam, 1)
    changes.do("finish", asked, rustam, 2, "Tayyor")
    answer = browser.send("/directory", name="Lola", number="712390101", request=asked.id)
    assert "allaqachon bajarilgan" in browser.get(answer.headers["Location"]).text
    assert ChangeLink.select().count() == 0
    assert "request" not in browser.get("/directory").text.split("<main")[1]


def test_a_list_and_its_values(login_as, asked):
    browser = login_as("manager")
    names = {"name_uz_latn": "Qayerdan bilgan", "name_ru": "Откуда узнал"}
    browser.send("/lists", **names, request=asked.id)
    there = "/lists/qayerdan_bilgan"
    assert f'<option value="{asked.id}">' in browser.get(there).text
    value = {"name_uz_latn": "Televizor", "name_ru": "Телевидение"}
    browser.send(there, **value, request=asked.id)
    [made] = catalogs.items("qayerdan_bilgan")
    assert made.name_uz_cyrl == "Телевизор"  # written from the Latin one
    browser.send(f"{there}/{made.id}", **value | {"active_until": "31.12.2027"}, request=asked.id)
    browser.send(f"{there}/{made.id}/retire", **value, request=asked.id)
    file = "code,position,name_uz_latn,name_uz_cyrl,name_ru,active\n"
    sheet = (
        f"{file}radio,2,Radio,Радио,Радио,1\ntelevizor,1,Oynayi jahon,Ойнаи жаҳон,Телевидение,1\n"
    )
    answer = browser.send(f"{there}/file", file=(io.BytesIO(sheet.encode()), "list.csv"))
    waits = answer.headers["Location"].partition("refused=")[2]
    browser.send(f"{there}/import?refused={waits}", request=asked.id)
    assert [(one.kind, one.ref) for one in reversed(links.of_request(asked))] == [
        ("list", "qayerdan_bilgan"),
        *[("list", "qayerdan_bilgan/televizor")] * 3,
        ("list", "qayerdan_bilgan"),
    ]
    page = shown(browser, asked)
    for words in ("31.12.2027", "Oynayi jahon · Oʻzbekcha nomi", "Radio", f'href="{there}"'):
        assert words in page
    assert f'href="{there}"' not in shown(login_as("ministry"), asked)


def test_a_form_put_in_force(login_as, asked):
    browser = login_as("manager")
    browser.send("/forms/2/draft")

    def seen() -> str:
        return re.search(r'name="seen" value="(\w+)"', browser.get("/forms/2").text)[1]

    labels = {"label-uz_Latn": "Qayerdan bilgan", "label-uz_Cyrl": "", "label-ru": "Откуда узнал"}
    browser.send("/forms/2/fields", seen=seen(), kind="text", **labels)
    assert f'<option value="{asked.id}">' in browser.get("/forms/2").text
    browser.send("/forms/2/draft/put", seen=seen(), request=asked.id)
    assert forms.in_force("2").field("qayerdan_bilgan").label["uz_Cyrl"] == "Қаердан билган"
    [link] = links.of_request(asked)
    assert (link.kind, link.ref) == ("form", "2/2")
    page = shown(browser, asked)
    assert "Qayerdan bilgan; Қаердан билган; Откуда узнал; Matn" in page
    assert 'href="/forms/2/versions/2?against=1"' in page
    assert "Qayerdan bilgan" in shown(login_as("ministry"), asked)
