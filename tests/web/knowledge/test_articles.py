"""The pages of articles: written, approved, read, rated; harmful input stays plain text."""

import io
import re

import pytest

from appliance.casework.appeals import desk
from appliance.casework.knowledge import articles, files, openings
from appliance.casework.knowledge.articles import ArticleContent, ArticlePlacement
from appliance.core import clock
from appliance.models import Article, ArticleFile, ArticleMiss, ArticleOpening, ArticleVersion
from tests.rig.citizen import Citizen
from tests.rig.documents import make_pdf

PDF_CONTENT = make_pdf()
ARTICLE_FIELDS = {
    "title_uz": "Subsidiya olish",
    "text_uz": "Ariza **15 kun** ichida",
    "title_ru": "Получение субсидии",
    "text_ru": "Заявление **15 дней**",
    "law": "Murojaatlar toʻgʻrisida",
    "law_number": "OʻRQ-445",
    "law_on": "11.09.2017",
    "section": "appeals",
    "topics": "subsidies",
    "owner": "sherzod",
    "review_on": "01.12.2027",
}
HARMFUL_TEXT = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'"


def newest_revision() -> int:
    return ArticleVersion.select().order_by(ArticleVersion.id.desc()).get().revision


@pytest.fixture
def drafting_manager(login_as):
    """The manager's browser, after they wrote a draft."""
    browser = login_as("manager")
    answer = browser.send("/articles", "/articles/new", **ARTICLE_FIELDS)
    assert answer.headers["Location"] == "/articles/subsidiya-olish"
    return browser


def send_step(browser, action, slug="subsidiya-olish", **more):
    article_path = f"/articles/{slug}"
    return browser.send(
        f"{article_path}/steps/{action}", article_path, seen=newest_revision(), **more
    )


@pytest.fixture
def published(settings, sherzod, bahodir) -> ArticleVersion:
    """An article in force."""
    words = ArticleContent(
        "Subsidiya olish", "Ariza **15 kun**", "Получение субсидии", "Заявление 15 дней"
    )
    row = articles.create_article(sherzod, words, ArticlePlacement("appeals", ("subsidies",)))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.change_version_status(action, row, user, row.revision)
    return row


def test_an_article_is_written_approved_and_read(drafting_manager, login_as):
    assert drafting_manager.get("/knowledge").text.count("Subsidiya olish") == 0
    send_step(drafting_manager, "send")
    ministry = login_as("ministry")
    page = ministry.get("/articles/subsidiya-olish").text
    assert "Ariza <strong>15 kun</strong> ichida" in page
    assert "Заявление <strong>15 дней</strong>" in page
    assert "OʻRQ-445-son 11.09.2017" in page
    send_step(ministry, "approve")
    send_step(login_as("manager"), "put")
    operator = login_as("operator")
    assert "Subsidiya olish" in operator.get("/knowledge").text
    page = operator.get("/knowledge/articles/subsidiya-olish").text
    assert "<strong>15 kun</strong>" in page
    [opening] = ArticleOpening.select().where(ArticleOpening.who == "nilufar")
    operator.send(f"/knowledge/openings/{opening.id}", "/knowledge", useful="yes")
    assert ArticleOpening.get_by_id(opening.id).useful is True


def test_the_ministry_returns_an_article_with_a_remark(drafting_manager, login_as):
    send_step(drafting_manager, "send")
    ministry = login_as("ministry")
    page = ministry.refused_page(send_step(ministry, "return", text=" "))
    assert "Avval matnni yozing" in page
    send_step(ministry, "return", text="Manba qani?")
    page = login_as("manager").get("/articles/subsidiya-olish").text
    assert "Manba qani?" in page
    assert 'name="text_uz"' in page


@pytest.mark.parametrize(
    ("wrong", "trouble"),
    [
        ({"title_uz": "", "title_ru": ""}, "sarlavha yozing"),
        ({"section": ""}, "Boʻlimni tanlang"),
        ({"law_on": "31.02.2020"}, "Sanani kk.oo.yyyy"),
        ({"owner": "nilufar"}, "Masʼulni roʻyxatdan"),
    ],
)
def test_an_invalid_article_is_refused_and_its_text_kept(wrong, trouble, login_as):
    browser = login_as("manager")
    page = browser.refused_page(
        browser.send("/articles", "/articles/new", **(ARTICLE_FIELDS | wrong))
    )
    assert trouble in page
    assert ARTICLE_FIELDS["text_uz"] in page
    assert ARTICLE_FIELDS["text_ru"] in page
    assert Article.select().count() == 0


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"%PDF-1.7" + bytes(2_000), "5 MB dan katta"),
        (b"MZ", "Faqat butun PDF"),
        (PDF_CONTENT.replace(b"%%EOF", b"/JavaScript %%EOF"), "makros"),
    ],
)
def test_an_invalid_file_is_refused_and_the_text_kept(
    drafting_manager, content, trouble, monkeypatch
):
    monkeypatch.setattr(files, "MAX_FILE_BYTES", 1_000)
    article_path = "/articles/subsidiya-olish"
    more = ARTICLE_FIELDS | {"text_uz": "Yangi matn", "seen": newest_revision()}
    sent = drafting_manager.send(
        f"{article_path}/save", article_path, **more, files=[(io.BytesIO(content), "a.pdf")]
    )
    page = drafting_manager.refused_page(sent)
    assert trouble in page
    assert "Yangi matn" in page
    assert ArticleFile.select().count() == 0
    assert ArticleVersion.get().text_uz == ARTICLE_FIELDS["text_uz"]


def test_a_file_belongs_to_its_version_and_downloads_as_attachment(drafting_manager, login_as):
    article_path = "/articles/subsidiya-olish"
    sent = [(io.BytesIO(PDF_CONTENT), "../ariza.pdf")]
    drafting_manager.send(
        f"{article_path}/save", article_path, **ARTICLE_FIELDS, seen=newest_revision(), files=sent
    )
    number = ArticleFile.get().id
    address = f"/knowledge/articles/subsidiya-olish/1/files/{number}"
    download = drafting_manager.get(address)
    assert (download.data, download.headers["Content-Type"]) == (
        PDF_CONTENT,
        "application/octet-stream",
    )
    assert download.headers["Content-Disposition"] == "attachment; filename=ariza.pdf"
    assert login_as("operator").get(address).status_code == 404  # the version is a draft
    drafting_manager.send(
        f"{article_path}/save", article_path, **ARTICLE_FIELDS, seen=newest_revision(), gone=number
    )
    assert ArticleFile.select().count() == 0


def test_harmful_input_in_every_field_stays_text(login_as, bahodir):
    browser = login_as("manager")
    texts = {
        name: f"{HARMFUL_TEXT} {name}"
        for name in ARTICLE_FIELDS
        if name.startswith(("title", "text", "law"))
    }
    typed = ARTICLE_FIELDS | texts | {"law_on": ARTICLE_FIELDS["law_on"], "source": HARMFUL_TEXT}
    article_path = browser.send("/articles", "/articles/new", **typed).headers["Location"]
    sent = [(io.BytesIO(PDF_CONTENT), f"{HARMFUL_TEXT}.pdf")]
    browser.send(f"{article_path}/save", article_path, **typed, seen=newest_revision(), files=sent)
    slug = article_path.rpartition("/")[2]
    pages = [
        browser.get(page).text for page in (article_path, "/articles", f"{article_path}/versions/1")
    ]
    send_step(browser, "send", slug)
    ministry = login_as("ministry")
    pages.append(ministry.get(article_path).text)
    send_step(ministry, "return", slug, text=HARMFUL_TEXT)
    pages.append(login_as("manager").get(article_path).text)
    send_step(login_as("manager"), "send", slug)
    send_step(login_as("ministry"), "approve", slug)
    send_step(login_as("manager"), "put", slug)
    operator = login_as("operator")
    pages += [
        operator.get(f"/knowledge{rest}").text for rest in ("", f"/articles/{slug}", "?q=alert")
    ]
    operator.get("/knowledge", query_string={"q": f"{HARMFUL_TEXT} yoʻq"})
    pages.append(login_as("manager").get("/articles/use").text)
    for page in pages:
        assert "<script>alert" not in page
        assert not re.search(r"<img[^>]*onerror", page)
        assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)[0]


def test_the_preview_is_sanitised_and_shows_the_other_script(login_as):
    browser = login_as("manager")
    body = {"language": "uz", "text": "**Qonun** <script>x</script>"}
    token = {"X-CSRFToken": browser.token()}
    preview = browser.post("/articles/preview", json=body, headers=token).get_json()
    assert preview["html"] == "<p><strong>Qonun</strong> &lt;script&gt;x&lt;/script&gt;</p>\n"
    assert "<strong>Қонун</strong>" in preview["other"]


def test_the_later_of_two_managers_is_refused(drafting_manager, login_as):
    article_path = "/articles/subsidiya-olish"
    old_revision = newest_revision()
    drafting_manager.send(f"{article_path}/save", article_path, **ARTICLE_FIELDS, seen=old_revision)
    again = drafting_manager.send(
        f"{article_path}/save",
        article_path,
        **(ARTICLE_FIELDS | {"text_uz": "Boshqacha"}),
        seen=old_revision,
    )
    page = drafting_manager.refused_page(again)
    assert "Boshqacha" in page
    assert ArticleVersion.get().text_uz == ARTICLE_FIELDS["text_uz"]


def test_a_version_is_compared_with_another(published, login_as, sherzod):
    second = articles.begin_draft(published.article, sherzod, published)
    words = ArticleContent(
        "Subsidiya olish", "Ariza 10 kun", "Получение субсидии", "Заявление 15 дней"
    )
    articles.save_draft(second, sherzod, second.revision, words, ArticlePlacement("appeals"))
    page = login_as("ministry").get("/articles/subsidiya-olish/versions/2?against=1").text
    assert "<del>Ariza **15 kun**</del>" in page
    assert "<ins>Ariza 10 kun</ins>" in page


def test_several_drafts_go_to_the_ministry_at_once(drafting_manager):
    browser = drafting_manager
    browser.send(
        "/articles", "/articles/new", **(ARTICLE_FIELDS | {"title_ru": "", "title_uz": "Yarim"})
    )
    browser.send("/articles/send", "/articles?show=drafts", slug=["subsidiya-olish", "yarim"])
    states = {row.article.slug: row.state for row in ArticleVersion.select()}
    assert states == {"subsidiya-olish": "sent", "yarim": "draft"}


def test_an_unsuccessful_search_is_reported_to_the_manager(published, login_as):
    operator = login_as("operator")
    assert "Subsidiya olish" in operator.get("/knowledge/list?q=субсидия").text
    assert "Bunday soʻzli maqola yoʻq" in operator.get("/knowledge?q=pensiya").text
    assert ArticleMiss.get().text == "pensiya"
    page = login_as("manager").get("/articles/use").text
    assert "pensiya" in page
    assert "Subsidiya olish" in page  # in force but never opened


def test_transliterated_text_is_marked_as_automatic(published, login_as):
    operator = login_as("operator")
    operator.send("/account/language", "/account", language="uz_Cyrl", back="/knowledge")
    ArticleVersion.update(law="Murojaatlar toʻgʻrisida", law_number="OʻRQ-445").execute()
    page = operator.get("/knowledge/articles/subsidiya-olish").text
    assert "Мурожаатлар тўғрисида, ЎРҚ-445" in page
    assert "Ариза <strong>15 кун</strong>" in page
    assert "Бошқа ёзувдан автоматик ўгирилган" in page


def test_a_retired_article_cannot_be_read(published, login_as):
    send_step(login_as("manager"), "retire")
    assert login_as("operator").get("/knowledge/articles/subsidiya-olish").status_code == 404
    assert articles.version_in_force(Article.get()) is None


def test_users_cannot_rate_another_users_opening(published, login_as, nilufar):
    opening = openings.record_opening(published, nilufar, "ru", "c1")
    browser = login_as("supervisor")
    answer = browser.send(f"/knowledge/openings/{opening.id}", "/knowledge", useful="no")
    assert answer.status_code == 404
    assert files.MAX_FILE_BYTES < 20 * 1024 * 1024


def test_an_opened_article_is_listed_on_the_call_and_its_form(
    published, login_as, nilufar, sherzod
):
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    token = desk.current_desk(nilufar, clock.now()).token
    operator = login_as("operator")
    assert "Subsidiya olish" in operator.get(f"/knowledge/beside/{token}").text
    page = operator.get(f"/knowledge/beside/{token}/subsidiya-olish").text
    assert 'data-sms-passage="Ariza 15 kun"' in page
    newer = articles.begin_draft(published.article, sherzod, published)
    card = login_as("supervisor").get("/calls/1764000000.1").text
    assert re.search(r"Subsidiya olish</a>.*?1-versiya", card, re.DOTALL)
    assert newer.number == 2
    [opening] = openings.articles_opened_at_call("1764000000.1")
    assert (opening.version.number, opening.who) == (1, "nilufar")


def test_the_direction_of_the_form_suggests_its_articles(
    published, login_as, nilufar, sherzod, bahodir
):
    row = articles.create_article(
        sherzod, ArticleContent("Boshqa", "Matn", "Другое", "Текст"), ArticlePlacement("other")
    )
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.change_version_status(action, row, user, row.revision)
    citizen = Citizen("1764000000.1")
    citizen.ring_operator(nilufar)
    citizen.start_talk()
    token = desk.current_desk(nilufar, clock.now()).token
    operator = login_as("operator")
    assert "Boshqa" in operator.get(f"/knowledge/beside/{token}").text
    values = {"values": {"direction": "subsidies", "first_name": "Aziza"}}
    form_path = f"/operator/forms/{token}"
    assert operator.post(form_path, json=values, headers={"X-CSRFToken": operator.token()})
    page = operator.get(f"/knowledge/beside/{token}").text
    assert "Subsidiya olish" in page
    assert "Boshqa</button>" not in page
