"""The script beside the form: chosen for the call, followed by answers, left and taken up again."""

import re

import pytest

from appliance.casework import appeals, call_forms
from appliance.casework.knowledge import Place, Words, articles
from appliance.casework.scripts import runs
from appliance.messaging.notices import templates
from tests.casework.test_appeals import a_call, speaks
from tests.rig.scripts import document, in_force, step, words


@pytest.fixture
def call(nilufar, settings):
    found = a_call()
    type(found).update(language="ru").where(type(found).id == found.id).execute()
    speaks(nilufar, found)
    return type(found).get_by_id(found.id)


@pytest.fixture
def version(sherzod, bahodir, settings, monkeypatch):
    """A script that was in force before the call."""
    made = in_force(sherzod, bahodir)
    type(made).update(since=0).where(type(made).id == made.id).execute()
    return type(made).get_by_id(made.id)


def said(browser, address: str, **sent) -> str:
    headers = {"X-CSRFToken": browser.token("/operator")}
    answer = browser.post(address, json=sent, headers=headers)
    assert answer.status_code == 200, answer.status
    return answer.get_json()["trouble"]


def test_the_script_of_a_call_is_followed_by_its_answers(login_as, nilufar, call, version):
    browser = login_as("nilufar")
    token = appeals.token_for(nilufar, call)
    there = f"/operator/scripts/{token}"
    page = browser.get(there).text
    assert "Assalomu alaykum" in page
    assert "(ru)" in page  # the caller speaks Russian
    assert "data-fresh" in page
    assert said(browser, f"{there}/begin", version=version.id) == ""
    assert said(browser, f"{there}/go", seen=1, answer=1) == ""
    page = browser.get(there).text
    assert "Gap savol (ru)" in page
    assert re.search(r'data-key="2"[^>]*><kbd>2</kbd>Javob 2 savol', page)
    assert 'data-script-field="surname"' in page
    assert "ochiq qadam" in said(browser, f"{there}/go", seen=1, answer=1)
    said(browser, f"{there}/speak", language="uz")
    assert "(ru)" not in browser.get(there).text.partition("panel-foot")[0]
    said(browser, f"{there}/go", seen=2, back=True)
    said(browser, f"{there}/end", result="left")
    assert 'data-script-act="resume"' in browser.get(there).text
    said(browser, f"{there}/resume")
    said(browser, f"{there}/go", seen=3, to="rahmat")
    said(browser, f"{there}/end", result="finished")
    run = runs.of_call(call.id)[0]
    assert (run.row.result, run.step, len(run.course)) == ("finished", "rahmat", 4)


def test_what_is_known_of_the_caller_is_said(login_as, nilufar, call, version):
    token = appeals.token_for(nilufar, call)
    browser = login_as("nilufar")
    page = browser.get(f"/operator/scripts/{token}").text
    assert '<span class="gap">' in page
    appeals.save_draft(nilufar, token, {"first_name": "Aziza", "surname": "<b>Karimova"})
    page = browser.get(f"/operator/scripts/{token}").text
    assert "Aziza &lt;b&gt;Karimova" in page
    assert '<span class="gap">' not in page


def test_a_form_without_a_script_has_none_beside_it(login_as, nilufar, call):
    token = appeals.token_for(nilufar, call)
    browser = login_as("nilufar")
    assert f'data-script="/operator/scripts/{token}"' in browser.get("/operator").text
    assert browser.get(f"/operator/scripts/{token}").text.strip() == ""
    assert "boshidan" not in said(browser, f"/operator/scripts/{token}/go", seen=1, answer=1)


def test_nobody_follows_a_script_of_anothers_form(login_as, nilufar, call, version):
    token = appeals.token_for(nilufar, call)
    browser = login_as("sardor")
    assert browser.get(f"/operator/scripts/{token}").status_code == 404
    headers = {"X-CSRFToken": browser.token("/operator")}
    there = f"/operator/scripts/{token}/begin"
    assert browser.post(there, json={"version": version.id}, headers=headers).status_code == 404


def test_actions_of_a_step_are_at_hand(login_as, nilufar, sherzod, bahodir, call):
    actions = [{"kind": "specialist"}]
    made = in_force(sherzod, bahodir, document(step("a", actions=actions, note=words("Sekin"))))
    type(made).update(since=0).where(type(made).id == made.id).execute()
    token = appeals.token_for(nilufar, call)
    page = login_as("nilufar").get(f"/operator/scripts/{token}").text
    assert "data-script-specialist" in page
    assert "Sekin" in page


def test_the_card_of_the_call_tells_what_was_said(login_as, nilufar, call, version):
    run = runs.begin(nilufar, appeals.token_for(nilufar, call), call, version, "ru")
    runs.end(runs.go(runs.go(run, 1, answer=1), 2, answer=2), "finished")
    page = login_as("sherzod").get(f"/calls/{call.id}").text
    assert "Salomlashish, 1-versiya" in page
    assert f"/scripts/{version.script.code}/versions/1" in page
    assert re.search(r"<b>Qadam savol</b> .*Javob 2 savol", page)


def test_a_template_of_the_script_is_chosen_in_the_message(login_as, nilufar, call, settings):
    made = templates.save(settings, templates.Template("Manzil", "Manzil: 1", "Адрес: 1"), "x")
    token = appeals.token_for(nilufar, call)
    page = login_as("nilufar").get(f"/messages/form/{token}?template={made.id}").text
    assert f'<option value="{made.id}" selected>' in page


@pytest.fixture
def article(sherzod, bahodir, settings):
    """An article in force, and a draft."""
    row = None
    for name in ("Loyiha", "Subsidiya olish"):
        words = Words(name, "Ariza 15 kun", f"{name} ru", "Заявление")
        row = articles.create(sherzod, words, Place("appeals"))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.do(action, row, user, row.revision)
    return row


def test_an_article_of_the_step_opens_beside_the_form(
    login_as, nilufar, sherzod, bahodir, call, article
):
    slugs = ("loyiha", "subsidiya-olish")
    refs = [{"kind": "article", "ref": one} for one in slugs]
    version = in_force(sherzod, bahodir, document(step("a", actions=refs)), slugs)
    type(version).update(since=0).where(type(version).id == version.id).execute()
    token = appeals.token_for(nilufar, call)
    browser, there = login_as("nilufar"), f"/operator/scripts/{token}"
    page = browser.get(there).text
    opens = re.findall(r'data-at="([^"]+)"( disabled)?', page)
    assert opens == [
        (f"/knowledge/beside/{token}/loyiha", " disabled"),  # nobody has approved it yet
        (f"/knowledge/beside/{token}/subsidiya-olish", ""),
    ]
    assert "Loyiha (kuchda emas)" in page
    assert (
        "Ssenariy va shakldagi yoʻnalish boʻyicha"
        not in browser.get(f"/knowledge/beside/{token}").text
    )
    said(browser, f"{there}/begin", version=version.id)
    proposed = browser.get(f"/knowledge/beside/{token}").text
    assert "Ssenariy va shakldagi yoʻnalish boʻyicha" in proposed
    assert "Subsidiya olish" in proposed
    assert "Loyiha" not in proposed


def test_what_was_followed_stands_on_the_forms_of_the_call(
    login_as, nilufar, call, version, settings, register
):
    token = appeals.token_for(nilufar, call)
    runs.end(runs.go(runs.begin(nilufar, token, call, version, "ru"), 1, answer=1), "left")
    made = call_forms.register({"surname": "X"}, operator=nilufar, token=token, tz=settings.tz)
    page = login_as("sherzod").get(f"/call-forms/{made.number}").text
    assert "Salomlashish, 1-versiya" in page
    assert re.search(r"<b>Qadam salom</b> .*Javob 1 salom", page)
    appeal = register()
    runs.begin(nilufar, appeal.token, None, version, "uz")
    page = login_as("sherzod").get(f"/appeals/{appeal.number}").text
    assert "Salomlashish, 1-versiya" in page


def test_a_step_s_harm_stays_words(login_as, nilufar, sherzod, bahodir, call):
    harm = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"
    texts = {name: {"uz": harm, "ru": harm} for name in ("name", "said", "note")}
    answers = [{"words": {"uz": harm[:60], "ru": harm[:60]}, "to": one} for one in ("b", "a")]
    steps = [step("a", answers=answers), step("b", answers=[{"to": "a"}])]
    steps = [one | texts for one in steps]
    made = document(*steps, title="x") | {"title": {"uz": harm, "ru": harm}}
    version = in_force(sherzod, bahodir, made)
    token, code = appeals.token_for(nilufar, call), version.script.code
    operator, manager = login_as("nilufar"), login_as("sherzod")
    said(operator, f"/operator/scripts/{token}/begin", version=version.id)
    said(operator, f"/operator/scripts/{token}/go", seen=1, answer=1)
    rest = ("", f"/{code}", f"/{code}/preview", f"/{code}/versions/1", "/counts")
    pages = [manager.get(f"/scripts{one}").text for one in rest]
    pages += [
        operator.get(f"/operator/scripts/{token}").text,
        manager.get(f"/calls/{call.id}").text,
    ]
    manager.send(f"/scripts/{code}/draft", f"/scripts/{code}")
    pages += [manager.get(f"/scripts/{code}/steps/a").text, manager.get(f"/scripts/{code}").text]
    for page in pages:
        assert "<script>alert" not in page
        assert not re.search(r"<img[^>]*onerror", page)
