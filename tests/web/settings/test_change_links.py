"""A change made on its page names its request, and stands there with the difference."""

import pytest

from appliance.casework import catalogs, changes, departments
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
