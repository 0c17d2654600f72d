"""The script next to the form: chosen for the call, followed by answers, left and resumed."""

import re

import pytest

from appliance.casework import call_forms
from appliance.casework.forms import drafts
from appliance.casework.knowledge import articles
from appliance.casework.knowledge.articles import ArticleContent, ArticlePlacement
from appliance.casework.scripts import runs
from appliance.messaging.notices import templates
from tests.rig.appeals import create_call, start_talk
from tests.rig.scripts import bilingual_text, make_script, make_step, publish_script


@pytest.fixture
def call(nilufar, settings):
    stored_call = create_call()
    type(stored_call).update(language="ru").where(type(stored_call).id == stored_call.id).execute()
    start_talk(nilufar, stored_call)
    return type(stored_call).get_by_id(stored_call.id)


@pytest.fixture
def version(sherzod, bahodir, settings, monkeypatch):
    """A script that was in force before the call."""
    script_version = publish_script(sherzod, bahodir)
    type(script_version).update(since=0).where(
        type(script_version).id == script_version.id
    ).execute()
    return type(script_version).get_by_id(script_version.id)


def post_and_read_trouble(browser, address: str, **sent) -> str:
    headers = {"X-CSRFToken": browser.token("/operator")}
    answer = browser.post(address, json=sent, headers=headers)
    assert answer.status_code == 200, answer.status
    return answer.get_json()["trouble"]


def test_the_script_of_a_call_is_followed_by_its_answers(login_as, nilufar, call, version):
    browser = login_as("nilufar")
    token = drafts.token_for(nilufar, call)
    script_path = f"/operator/scripts/{token}"
    page = browser.get(script_path).text
    assert "Assalomu alaykum" in page
    assert "(ru)" in page  # the caller's language is Russian
    assert "data-fresh" in page
    assert post_and_read_trouble(browser, f"{script_path}/begin", version=version.id) == ""
    assert post_and_read_trouble(browser, f"{script_path}/go", seen=1, answer=1) == ""
    page = browser.get(script_path).text
    assert "Gap savol (ru)" in page
    assert re.search(r'data-key="2"[^>]*><kbd>2</kbd>Javob 2 savol', page)
    assert 'data-script-field="surname"' in page
    assert "ochiq qadam" in post_and_read_trouble(browser, f"{script_path}/go", seen=1, answer=1)
    post_and_read_trouble(browser, f"{script_path}/speak", language="uz")
    assert "(ru)" not in browser.get(script_path).text.partition("panel-foot")[0]
    post_and_read_trouble(browser, f"{script_path}/go", seen=2, back=True)
    post_and_read_trouble(browser, f"{script_path}/end", result="left")
    assert 'data-script-act="resume"' in browser.get(script_path).text
    post_and_read_trouble(browser, f"{script_path}/resume")
    post_and_read_trouble(browser, f"{script_path}/go", seen=3, to="rahmat")
    post_and_read_trouble(browser, f"{script_path}/end", result="finished")
    run = runs.runs_of_call(call.id)[0]
    assert (run.row.result, run.step, len(run.course)) == ("finished", "rahmat", 4)


def test_the_script_contains_the_callers_name_when_known(login_as, nilufar, call, version):
    token = drafts.token_for(nilufar, call)
    browser = login_as("nilufar")
    page = browser.get(f"/operator/scripts/{token}").text
    assert '<span class="gap">' in page
    drafts.save_draft(nilufar, token, {"first_name": "Aziza", "surname": "<b>Karimova"})
    page = browser.get(f"/operator/scripts/{token}").text
    assert "Aziza &lt;b&gt;Karimova" in page
    assert '<span class="gap">' not in page


def test_a_call_without_a_script_shows_no_script(login_as, nilufar, call):
    token = drafts.token_for(nilufar, call)
    browser = login_as("nilufar")
    assert f'data-script="/operator/scripts/{token}"' in browser.get("/operator").text
    assert browser.get(f"/operator/scripts/{token}").text.strip() == ""
    assert "boshidan" not in post_and_read_trouble(
        browser, f"/operator/scripts/{token}/go", seen=1, answer=1
    )


def test_nobody_follows_the_script_of_anothers_form(login_as, nilufar, call, version):
    token = drafts.token_for(nilufar, call)
    browser = login_as("sardor")
    assert browser.get(f"/operator/scripts/{token}").status_code == 404
    headers = {"X-CSRFToken": browser.token("/operator")}
    begin_path = f"/operator/scripts/{token}/begin"
    assert (
        browser.post(begin_path, json={"version": version.id}, headers=headers).status_code == 404
    )


def test_the_actions_of_a_step_are_offered(login_as, nilufar, sherzod, bahodir, call):
    actions = [{"kind": "specialist"}]
    script_version = publish_script(
        sherzod, bahodir, make_script(make_step("a", actions=actions, note=bilingual_text("Sekin")))
    )
    type(script_version).update(since=0).where(
        type(script_version).id == script_version.id
    ).execute()
    token = drafts.token_for(nilufar, call)
    page = login_as("nilufar").get(f"/operator/scripts/{token}").text
    assert "data-script-specialist" in page
    assert "Sekin" in page


def test_the_card_of_the_call_shows_the_followed_script(login_as, nilufar, call, version):
    run = runs.begin_run(nilufar, drafts.token_for(nilufar, call), call, version, "ru")
    runs.end_run(runs.open_step(runs.open_step(run, 1, answer=1), 2, answer=2), "finished")
    page = login_as("sherzod").get(f"/calls/{call.id}").text
    assert "Salomlashish, 1-versiya" in page
    assert f"/scripts/{version.script.code}/versions/1" in page
    assert re.search(r"<b>Qadam savol</b> .*Javob 2 savol", page)


def test_a_template_of_the_script_is_selected_in_the_message(login_as, nilufar, call, settings):
    template = templates.save_template(
        settings, templates.Template("Manzil", "Manzil: 1", "Адрес: 1"), "x"
    )
    token = drafts.token_for(nilufar, call)
    page = login_as("nilufar").get(f"/messages/form/{token}?template={template.id}").text
    assert f'<option value="{template.id}" selected>' in page


@pytest.fixture
def article(sherzod, bahodir, settings):
    """An article in force, and a draft."""
    row = None
    for name in ("Loyiha", "Subsidiya olish"):
        words = ArticleContent(name, "Ariza 15 kun", f"{name} ru", "Заявление")
        row = articles.create_article(sherzod, words, ArticlePlacement("appeals"))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.change_version_status(action, row, user, row.revision)
    return row


def test_an_article_of_the_step_opens_next_to_the_form(
    login_as, nilufar, sherzod, bahodir, call, article
):
    slugs = ("loyiha", "subsidiya-olish")
    refs = [{"kind": "article", "ref": slug} for slug in slugs]
    version = publish_script(sherzod, bahodir, make_script(make_step("a", actions=refs)), slugs)
    type(version).update(since=0).where(type(version).id == version.id).execute()
    token = drafts.token_for(nilufar, call)
    browser, script_path = login_as("nilufar"), f"/operator/scripts/{token}"
    page = browser.get(script_path).text
    opens = re.findall(r'data-at="([^"]+)"( disabled)?', page)
    assert opens == [
        (f"/knowledge/beside/{token}/loyiha", " disabled"),  # not approved yet
        (f"/knowledge/beside/{token}/subsidiya-olish", ""),
    ]
    assert "Loyiha (kuchda emas)" in page
    assert (
        "Ssenariy va shakldagi yoʻnalish boʻyicha"
        not in browser.get(f"/knowledge/beside/{token}").text
    )
    post_and_read_trouble(browser, f"{script_path}/begin", version=version.id)
    proposed = browser.get(f"/knowledge/beside/{token}").text
    assert "Ssenariy va shakldagi yoʻnalish boʻyicha" in proposed
    assert "Subsidiya olish" in proposed
    assert "Loyiha" not in proposed


def test_the_followed_script_is_shown_on_the_forms_of_the_call(
    login_as, nilufar, call, version, settings, register
):
    token = drafts.token_for(nilufar, call)
    runs.end_run(
        runs.open_step(runs.begin_run(nilufar, token, call, version, "ru"), 1, answer=1), "left"
    )
    form = call_forms.register({"surname": "X"}, operator=nilufar, token=token, tz=settings.tz)
    page = login_as("sherzod").get(f"/call-forms/{form.number}").text
    assert "Salomlashish, 1-versiya" in page
    assert re.search(r"<b>Qadam salom</b> .*Javob 1 salom", page)
    appeal = register()
    runs.begin_run(nilufar, appeal.token, None, version, "uz")
    page = login_as("sherzod").get(f"/appeals/{appeal.number}").text
    assert "Salomlashish, 1-versiya" in page


def test_harmful_text_in_a_step_stays_text(login_as, nilufar, sherzod, bahodir, call):
    harm = "\"><script>alert(1)</script><img src=x onerror=alert(1)>'"
    texts = {name: {"uz": harm, "ru": harm} for name in ("name", "said", "note")}
    answers = [{"words": {"uz": harm[:60], "ru": harm[:60]}, "to": item} for item in ("b", "a")]
    steps = [make_step("a", answers=answers), make_step("b", answers=[{"to": "a"}])]
    steps = [item | texts for item in steps]
    script_document = make_script(*steps, title="x") | {"title": {"uz": harm, "ru": harm}}
    version = publish_script(sherzod, bahodir, script_document)
    token, code = drafts.token_for(nilufar, call), version.script.code
    operator, manager = login_as("nilufar"), login_as("sherzod")
    post_and_read_trouble(operator, f"/operator/scripts/{token}/begin", version=version.id)
    post_and_read_trouble(operator, f"/operator/scripts/{token}/go", seen=1, answer=1)
    rest = ("", f"/{code}", f"/{code}/preview", f"/{code}/versions/1", "/counts")
    pages = [manager.get(f"/scripts{item}").text for item in rest]
    pages += [
        operator.get(f"/operator/scripts/{token}").text,
        manager.get(f"/calls/{call.id}").text,
    ]
    manager.send(f"/scripts/{code}/draft", f"/scripts/{code}")
    pages += [manager.get(f"/scripts/{code}/steps/a").text, manager.get(f"/scripts/{code}").text]
    for page in pages:
        assert "<script>alert" not in page
        assert not re.search(r"<img[^>]*onerror", page)
