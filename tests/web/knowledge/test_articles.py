"""The pages of articles: written, approved, read, judged useful; what would do harm stays words."""

import io
import re

import pytest

from appliance.casework import appeals, knowledge
from appliance.casework.knowledge import Place, Words, articles, files, openings
from appliance.core import clock
from appliance.models import Article, ArticleFile, ArticleMiss, ArticleOpening, ArticleVersion
from tests.rig.citizen import Citizen
from tests.rig.documents import pdf_of

PDF = pdf_of()
TYPED = {
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
HARM = "\"><script>alert(1)</script><img src=x onerror=alert(1)>{{7*7}}'"


def seen() -> int:
    return ArticleVersion.select().order_by(ArticleVersion.id.desc()).get().revision


@pytest.fixture
def written(login_as):
    """A draft, as the manager writes it; his browser."""
    browser = login_as("manager")
    answer = browser.send("/articles", "/articles/new", **TYPED)
    assert answer.headers["Location"] == "/articles/subsidiya-olish"
    return browser


def step(browser, action, slug="subsidiya-olish", **more):
    there = f"/articles/{slug}"
    return browser.send(f"{there}/steps/{action}", there, seen=seen(), **more)


@pytest.fixture
def published(settings, sherzod, bahodir) -> ArticleVersion:
    """An article in force."""
    words = Words("Subsidiya olish", "Ariza **15 kun**", "Получение субсидии", "Заявление 15 дней")
    row = articles.create(sherzod, words, Place("appeals", ("subsidies",)))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.do(action, row, user, row.revision)
    return row


def test_an_article_is_written_approved_and_read(written, login_as):
    assert written.get("/knowledge").text.count("Subsidiya olish") == 0
    step(written, "send")
    ministry = login_as("ministry")
    page = ministry.get("/articles/subsidiya-olish").text
    assert "Ariza <strong>15 kun</strong> ichida" in page
    assert "Заявление <strong>15 дней</strong>" in page
    assert "OʻRQ-445-son 11.09.2017" in page
    step(ministry, "approve")
    step(login_as("manager"), "put")
    operator = login_as("operator")
    assert "Subsidiya olish" in operator.get("/knowledge").text
    page = operator.get("/knowledge/articles/subsidiya-olish").text
    assert "<strong>15 kun</strong>" in page
    [opening] = ArticleOpening.select().where(ArticleOpening.who == "nilufar")
    operator.send(f"/knowledge/openings/{opening.id}", "/knowledge", useful="yes")
    assert ArticleOpening.get_by_id(opening.id).useful is True


def test_the_ministry_returns_it_with_words(written, login_as):
    step(written, "send")
    ministry = login_as("ministry")
    page = ministry.refused(step(ministry, "return", text=" "))
    assert "Avval matnni yozing" in page
    step(ministry, "return", text="Manba qani?")
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
def test_what_is_wrong_is_said_and_what_was_typed_stays(wrong, trouble, login_as):
    browser = login_as("manager")
    page = browser.refused(browser.send("/articles", "/articles/new", **(TYPED | wrong)))
    assert trouble in page
    assert TYPED["text_uz"] in page
    assert TYPED["text_ru"] in page
    assert Article.select().count() == 0


@pytest.mark.parametrize(
    ("content", "trouble"),
    [
        (b"%PDF-1.7" + bytes(2_000), "5 MB dan katta"),
        (b"MZ", "Faqat butun PDF"),
        (PDF.replace(b"%%EOF", b"/JavaScript %%EOF"), "makros"),
    ],
)
def test_a_bad_file_is_refused_and_the_text_stays(written, content, trouble, monkeypatch):
    monkeypatch.setattr(files, "LARGEST", 1_000)
    there = "/articles/subsidiya-olish"
    more = TYPED | {"text_uz": "Yangi matn", "seen": seen()}
    sent = written.send(f"{there}/save", there, **more, files=[(io.BytesIO(content), "a.pdf")])
    page = written.refused(sent)
    assert trouble in page
    assert "Yangi matn" in page
    assert ArticleFile.select().count() == 0
    assert ArticleVersion.get().text_uz == TYPED["text_uz"]


def test_a_file_is_shown_with_its_version_and_saved_not_opened(written, login_as):
    there = "/articles/subsidiya-olish"
    sent = [(io.BytesIO(PDF), "../ariza.pdf")]
    written.send(f"{there}/save", there, **TYPED, seen=seen(), files=sent)
    number = ArticleFile.get().id
    address = f"/knowledge/articles/subsidiya-olish/1/files/{number}"
    got = written.get(address)
    assert (got.data, got.headers["Content-Type"]) == (PDF, "application/octet-stream")
    assert got.headers["Content-Disposition"] == "attachment; filename=ariza.pdf"
    assert login_as("operator").get(address).status_code == 404  # it is a draft
    written.send(f"{there}/save", there, **TYPED, seen=seen(), gone=number)
    assert ArticleFile.select().count() == 0


def test_harm_in_every_field_stays_words(login_as, bahodir):
    browser = login_as("manager")
    texts = {name: f"{HARM} {name}" for name in TYPED if name.startswith(("title", "text", "law"))}
    typed = TYPED | texts | {"law_on": TYPED["law_on"], "source": HARM}
    there = browser.send("/articles", "/articles/new", **typed).headers["Location"]
    sent = [(io.BytesIO(PDF), f"{HARM}.pdf")]
    browser.send(f"{there}/save", there, **typed, seen=seen(), files=sent)
    slug = there.rpartition("/")[2]
    pages = [browser.get(page).text for page in (there, "/articles", f"{there}/versions/1")]
    step(browser, "send", slug)
    ministry = login_as("ministry")
    pages.append(ministry.get(there).text)
    step(ministry, "return", slug, text=HARM)
    pages.append(login_as("manager").get(there).text)
    step(login_as("manager"), "send", slug)
    step(login_as("ministry"), "approve", slug)
    step(login_as("manager"), "put", slug)
    operator = login_as("operator")
    pages += [
        operator.get(f"/knowledge{rest}").text for rest in ("", f"/articles/{slug}", "?q=alert")
    ]
    operator.get("/knowledge", query_string={"q": f"{HARM} yoʻq"})
    pages.append(login_as("manager").get("/articles/use").text)
    for page in pages:
        assert "<script>alert" not in page
        assert not re.search(r"<img[^>]*onerror", page)
        assert "49" not in re.findall(r"<h1[^>]*>(.*?)</h1>", page, re.DOTALL)[0]


def test_the_preview_is_sanitised_and_shows_the_other_script(login_as):
    browser = login_as("manager")
    body = {"language": "uz", "text": "**Qonun** <script>x</script>"}
    token = {"X-CSRFToken": browser.token()}
    made = browser.post("/articles/preview", json=body, headers=token).get_json()
    assert made["html"] == "<p><strong>Qonun</strong> &lt;script&gt;x&lt;/script&gt;</p>\n"
    assert "<strong>Қонун</strong>" in made["other"]


def test_of_two_managers_the_later_one_is_told(written, login_as):
    there = "/articles/subsidiya-olish"
    old = seen()
    written.send(f"{there}/save", there, **TYPED, seen=old)
    again = written.send(f"{there}/save", there, **(TYPED | {"text_uz": "Boshqacha"}), seen=old)
    page = written.refused(again)
    assert "Boshqacha" in page
    assert ArticleVersion.get().text_uz == TYPED["text_uz"]


def test_a_version_is_compared_with_another(published, login_as, sherzod):
    second = articles.begin(published.article, sherzod, published)
    words = Words("Subsidiya olish", "Ariza 10 kun", "Получение субсидии", "Заявление 15 дней")
    articles.save(second, sherzod, second.revision, words, Place("appeals"))
    page = login_as("ministry").get("/articles/subsidiya-olish/versions/2?against=1").text
    assert "<del>Ariza **15 kun**</del>" in page
    assert "<ins>Ariza 10 kun</ins>" in page


def test_several_drafts_go_to_the_ministry_at_once(written):
    browser = written
    browser.send("/articles", "/articles/new", **(TYPED | {"title_ru": "", "title_uz": "Yarim"}))
    browser.send("/articles/send", "/articles?show=drafts", slug=["subsidiya-olish", "yarim"])
    states = {row.article.slug: row.state for row in ArticleVersion.select()}
    assert states == {"subsidiya-olish": "sent", "yarim": "draft"}


def test_a_search_in_vain_is_told_to_the_manager(published, login_as):
    operator = login_as("operator")
    assert "Subsidiya olish" in operator.get("/knowledge/list?q=субсидия").text
    assert "Bunday soʻzli maqola yoʻq" in operator.get("/knowledge?q=pensiya").text
    assert ArticleMiss.get().text == "pensiya"
    page = login_as("manager").get("/articles/use").text
    assert "pensiya" in page
    assert "Subsidiya olish" in page  # in force and never opened


def test_the_other_script_is_marked_as_made(published, login_as):
    operator = login_as("operator")
    operator.send("/account/language", "/account", language="uz_Cyrl", back="/knowledge")
    ArticleVersion.update(law="Murojaatlar toʻgʻrisida", law_number="OʻRQ-445").execute()
    page = operator.get("/knowledge/articles/subsidiya-olish").text
    assert "Мурожаатлар тўғрисида, ЎРҚ-445" in page
    assert "Ариза <strong>15 кун</strong>" in page
    assert "Бошқа ёзувдан автоматик ўгирилган" in page


def test_what_is_retired_is_read_no_more(published, login_as):
    step(login_as("manager"), "retire")
    assert login_as("operator").get("/knowledge/articles/subsidiya-olish").status_code == 404
    assert knowledge.in_force(Article.get()) is None


def test_what_somebody_else_opened_is_not_judged(published, login_as, nilufar):
    opening = openings.opened(published, nilufar, "ru", "c1")
    browser = login_as("supervisor")
    answer = browser.send(f"/knowledge/openings/{opening.id}", "/knowledge", useful="no")
    assert answer.status_code == 404
    assert files.LARGEST < 20 * 1024 * 1024


def test_what_was_opened_stands_on_the_call_and_its_form(published, login_as, nilufar, sherzod):
    citizen = Citizen("1764000000.1")
    citizen.ring(nilufar)
    citizen.talk()
    token = appeals.at_hand(nilufar, clock.now()).token
    operator = login_as("operator")
    assert "Subsidiya olish" in operator.get(f"/knowledge/beside/{token}").text
    page = operator.get(f"/knowledge/beside/{token}/subsidiya-olish").text
    assert 'data-sms-passage="Ariza 15 kun"' in page
    newer = articles.begin(published.article, sherzod, published)
    card = login_as("supervisor").get("/calls/1764000000.1").text
    assert re.search(r"Subsidiya olish</a>.*?1-versiya", card, re.DOTALL)
    assert newer.number == 2
    [shown] = openings.at_call("1764000000.1")
    assert (shown.version.number, shown.who) == (1, "nilufar")


def test_the_form_s_direction_proposes_its_articles(published, login_as, nilufar, sherzod, bahodir):
    row = articles.create(sherzod, Words("Boshqa", "Matn", "Другое", "Текст"), Place("other"))
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = articles.do(action, row, user, row.revision)
    citizen = Citizen("1764000000.1")
    citizen.ring(nilufar)
    citizen.talk()
    token = appeals.at_hand(nilufar, clock.now()).token
    operator = login_as("operator")
    assert "Boshqa" in operator.get(f"/knowledge/beside/{token}").text
    values = {"values": {"direction": "subsidies", "first_name": "Aziza"}}
    there = f"/operator/forms/{token}"
    assert operator.post(there, json=values, headers={"X-CSRFToken": operator.token()})
    page = operator.get(f"/knowledge/beside/{token}").text
    assert "Subsidiya olish" in page
    assert "Boshqa</button>" not in page
