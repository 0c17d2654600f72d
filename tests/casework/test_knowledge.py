"""Articles: what may be written and kept, what a reader is shown, what of it is proved."""

import datetime as dt
import io
import struct
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework import catalogs, changes, knowledge, versions
from appliance.casework.documents import package, pdf
from appliance.casework.knowledge import (
    ArticleError,
    Place,
    Words,
    articles,
    files,
    listing,
    markdown,
    openings,
    seeding,
    wording,
)
from appliance.core import clock
from appliance.core.db import writing
from appliance.models import (
    Article,
    ArticleFile,
    ArticleMiss,
    ArticleOpening,
    ArticleVersion,
    AuditEntry,
    ChangeLink,
    SearchEntry,
)
from tests.rig.documents import pdf_of

TODAY = dt.date(2026, 11, 30)
PLACE = Place("appeals", ("subsidies",))
WORDS = Words(
    title_uz="Subsidiya olish",
    text_uz="Ariza **15 kun** ichida koʻriladi.",
    title_ru="Получение субсидии",
    text_ru="Заявление рассматривается **15 дней**.",
    law="Murojaatlar toʻgʻrisida",
    law_number="OʻRQ-445",
    law_on=dt.date(2017, 9, 11),
)

CALLED = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
RELATIONS = b'<Relationship Id="a" Type="b" Target="c"/>'
MACROS = b'<Types><D ContentType="application/vnd.ms-word.document.macroEnabled.main"/></Types>'


def docx(**more: bytes) -> bytes:
    """A document of the least parts, and more of them."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", more.pop("types", b"<Types/>"))
        packed.writestr("word/document.xml", b"<w:document/>")
        for name, content in more.items():
            packed.writestr(name.replace("__", "/"), content)
    return made.getvalue()


def png(width: int = 2, height: int = 2) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def packed_pdf(objects: bytes) -> bytes:
    """A PDF whose objects are packed."""
    stream = b"<</Type /ObjStm /Filter /FlateDecode>>\nstream\n" + zlib.compress(objects)
    return PDF.replace(b"<<>>", stream + b"\nendstream")


PDF = pdf_of(b"<<>>")
JPEG = b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x11\x00\x00"


@pytest.fixture
def draft(settings, sherzod) -> ArticleVersion:
    return articles.create(sherzod, WORDS, PLACE)


@pytest.fixture
def published(draft, sherzod, bahodir) -> ArticleVersion:
    return in_force(draft, sherzod, bahodir)


def in_force(row, sherzod, bahodir, since=None) -> ArticleVersion:
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = fresh(row)
        row = articles.do(action, row, user, row.revision, since=since if action == "put" else None)
    return row


def fresh(row: ArticleVersion) -> ArticleVersion:
    return ArticleVersion.get_by_id(row.id)


def save(row, user, words=WORDS, place=PLACE, **more) -> None:
    articles.save(fresh(row), user, fresh(row).revision, words, place, **more)


# writing


def test_an_article_gets_a_name_of_its_title(draft, sherzod):
    assert (draft.article.slug, draft.number) == ("subsidiya-olish", 1)
    again = articles.create(sherzod, WORDS, PLACE)
    assert again.article.slug == "subsidiya-olish-2"


def test_apostrophes_are_put_right_and_the_script_is_told(settings, sherzod):
    words = Words(title_uz="To'lov", text_uz="- O'zbekiston\n\n    kod", title_ru="", text_ru="")
    row = articles.create(sherzod, words, PLACE)
    assert (row.title_uz, row.text_uz) == ("Toʻlov", "- Oʻzbekiston\n\n    kod")
    assert row.script == "Latn"
    cyrillic = Words(title_uz="Тўлов", text_uz="Ўзбекистон")
    assert articles.create(sherzod, cyrillic, PLACE).script == "Cyrl"


@pytest.mark.parametrize(
    ("words", "place", "code"),
    [
        (Words(text_uz="Matn"), PLACE, "title"),
        (WORDS, Place("yoʻq"), "section"),
        (WORDS, Place("appeals", ("yoʻq",)), "topic"),
        (WORDS, Place("appeals", owner="nilufar"), "owner"),
    ],
)
def test_what_cannot_be_is_refused(settings, sherzod, words, place, code):
    with pytest.raises(ArticleError, match=code):
        articles.create(sherzod, words, place)
    assert not Article.select().exists()


def test_only_the_manager_writes(settings, draft, bahodir, nilufar):
    for user in (bahodir, nilufar):
        with pytest.raises(ArticleError, match="action"):
            articles.create(user, WORDS, PLACE)
        with pytest.raises(ArticleError, match="action"):
            save(draft, user)


def test_both_languages_are_asked_before_the_ministry(settings, sherzod):
    row = articles.create(sherzod, Words(title_uz="Faqat", text_uz="oʻzbekcha"), PLACE)
    with pytest.raises(ArticleError, match="languages"):
        articles.do("send", row, sherzod, 1)
    assert fresh(row).state == "draft"


def test_a_new_version_leaves_what_is_in_force_until_it_begins(published, sherzod, bahodir):
    article = published.article
    second = articles.begin(article, sherzod, published)
    save(second, sherzod, Words(**(vars(WORDS) | {"text_ru": "Другое"})))
    assert articles.in_force(article) == published
    told = articles.differences(published, fresh(second))
    assert told == [("text_ru", WORDS.text_ru, "Другое")]
    in_force(second, sherzod, bahodir)
    assert articles.in_force(article) == second
    assert versions.standing(fresh(published)) == "retired"


def test_what_is_put_in_force_for_a_request_is_noted_there(draft, sherzod, bahodir, settings):
    calendar = catalogs.working_calendar(settings)
    asked = changes.ask(bahodir, "other", "Maqola", "Kerak", calendar)
    save(draft, sherzod, request=asked)
    in_force(draft, sherzod, bahodir)
    [link] = ChangeLink.select()
    assert (link.request, link.kind, link.ref) == (asked, "article", "subsidiya-olish/1")
    assert link.after["law_number"] == "OʻRQ-445"


def test_a_draft_that_is_thrown_away_takes_a_new_article_along(draft, published, sherzod):
    other = articles.create(sherzod, WORDS, PLACE)
    assert articles.discard(other, sherzod, other.revision) is False
    second = articles.begin(published.article, sherzod, published)
    assert articles.discard(second, sherzod, second.revision) is True
    assert Article.select().count() == 1


def test_an_expired_article_is_neither_proposed_nor_found(draft, sherzod, bahodir):
    save(draft, sherzod, Words(**(vars(WORDS) | {"expires_on": TODAY})))
    in_force(draft, sherzod, bahodir)
    tomorrow = TODAY + dt.timedelta(days=1)
    assert knowledge.published(TODAY, "subsidies")
    assert knowledge.found("subsidiya", TODAY)
    assert knowledge.published(tomorrow, "subsidies") == []
    assert knowledge.found("subsidiya", tomorrow) == []
    [listed] = knowledge.listed(tomorrow)
    assert listed.expired


def test_the_review_is_reminded_on_its_day(published, sherzod, bahodir):
    articles.put_place(published.article, sherzod, Place("labour", (), "bahodir", TODAY))
    assert listing.to_do(sherzod, TODAY - dt.timedelta(days=1)) == 0
    assert listing.to_do(sherzod, TODAY) == 1
    [listed] = knowledge.listed(TODAY)
    assert (listed.review, listed.article.owner.login) == (True, "bahodir")
    assert AuditEntry.select().where(AuditEntry.action == "article.place").count() == 1


# what a reader is shown


def test_the_other_script_is_made_and_marked_so(draft):
    shown = {locale: wording.of(draft, locale) for locale in ("uz_Latn", "uz_Cyrl", "ru")}
    assert [one.made for one in shown.values()] == [False, True, False]
    assert shown["uz_Cyrl"].title == "Субсидия олиш"
    assert "<strong>15 кун</strong> ичида кўрилади" in shown["uz_Cyrl"].html
    assert shown["ru"].plain == "Заявление рассматривается 15 дней."


def test_speech_in_quotes_is_rewritten_and_abbreviations_stay(settings, sherzod):
    words = Words(title_uz="SMS va PDF", text_uz="«Yozma ravishda» [saytda](https://mehnat.uz/a)")
    shown = wording.of(articles.create(sherzod, words, PLACE), "uz_Cyrl")
    assert (shown.title, shown.plain) == ("SMS ва PDF", "«Ёзма равишда» сайтда")
    assert 'href="https://mehnat.uz/a"' in shown.html


def test_cyrillic_is_written_once_too(settings, sherzod):
    words = Words(title_uz="Мурожаат", text_uz="Ариза [сайтда](https://mehnat.uz/ariza), PDF")
    row = articles.create(sherzod, words, PLACE)
    shown = wording.of(row, "uz_Latn")
    assert (shown.title, shown.made) == ("Murojaat", True)
    assert 'href="https://mehnat.uz/ariza"' in shown.html
    assert shown.plain == "Ariza saytda, PDF"
    assert wording.of(row, "ru").locale == "uz_Cyrl"  # there is no Russian


ATTACKS = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "![x](https://evil.example/x.png)",
    "<a href='https://x' onclick='alert(1)'>x</a>",
    "<svg/onload=alert(1)>",
    "```html\n<script>alert(1)</script>\n```",
    "<style>*{display:none}</style>",
    '[x](https://x "a\\" onmouseover=\\"alert(1)")',
    '<https://x"onclick="alert(1)>',
    "| <iframe src=x> |\n|---|\n| <object> |",
]


@pytest.mark.parametrize("attack", ATTACKS)
def test_nothing_that_is_written_becomes_more_than_words(attack):
    made = markdown.html(attack).lower()
    assert_harmless(made)


@given(st.text(alphabet=st.sampled_from("<>\"'()[]`*_#|!:/\\ \nabjs=&;"), max_size=60))
def test_no_text_becomes_a_tag_that_is_not_allowed(text):
    assert_harmless(markdown.html(text))


def assert_harmless(made: str) -> None:
    from html.parser import HTMLParser

    class Look(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag in markdown.TAGS
            for name, value in attrs:
                assert name in ("href", "title", "rel", "start")
                if name == "href":
                    scheme = value.partition(":")[0].lower() if ":" in value else ""
                    assert scheme in (*markdown.SCHEMES, ""), value

    Look().feed(made)


# files


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PDF, "pdf"), (docx(), "docx"), (png(), "png"), (JPEG, "jpeg")],
    ids=("pdf", "docx", "png", "jpeg"),
)
def test_a_file_is_known_by_what_is_in_it(content, kind):
    assert files.kind_of(content) == kind


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file"),
        (b"%PDF-" + bytes(20 * 1024 * 1024), "file"),
        (b"MZ\x90", "kind"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "kind"),
        (b"%PDF-1.7 cut off", "kind"),
        (PDF.replace(b"<<>>", b"<</S /JavaScript /JS (app.alert)>>"), "macro"),
        (PDF.replace(b"<<>>", b"<</S /Launch>>"), "macro"),
        (PDF.replace(b"<<>>", b"<</S /J#61va#53cript>>"), "macro"),
        (packed_pdf(b"1 0 <</S /JavaScript /JS (app.alert)>>"), "macro"),
        (lambda: packed_pdf(bytes(60 * 1024 * 1024)), "bomb"),
        (b"GIF89a" + png(), "kind"),
        (docx(word__vbaProject_bin=b"x").replace(b"vbaProject_bin", b"vbaProject.bin"), "macro"),
        (docx(types=MACROS), "macro"),
        (lambda: docx(word__media_bomb=bytes(60 * 1024 * 1024)), "bomb"),
        (docx()[:60], "kind"),
        (png(60_000, 60_000), "bomb"),
        (png()[:20], "kind"),
        (b"\xff\xd8\xff\xe0\x00", "kind"),
    ],
    # an archive's bytes, which would be its name, hold the moment when it was made
    ids=(
        *("nothing", "too large", "program", "drawing", "cut off", "script", "start"),
        *("script by numbers", "packed script", "packed bomb", "another picture", "macros"),
        *("macro document", "bomb", "half a document", "large picture", "half a picture", "jpeg"),
    ),
)
def test_what_is_no_such_file_is_refused(content, code):
    with pytest.raises(ArticleError, match=code):
        files.kind_of(content() if callable(content) else content)


def with_objects(
    text: bytes, head: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"
) -> bytes:
    """A PDF that holds objects packed."""
    packed = zlib.compress(text)
    return pdf_of(b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(packed), packed))


def led(kind: str, target: str) -> bytes:
    """A document that a relation of that kind leads to somewhere."""
    one = f'<Relationship Type="http://x/{kind}" Target="{target}" TargetMode="External"/>'
    text = f"<Relationships {CALLED}>{one}</Relationships>".encode("utf-16")
    return docx(**{"word___rels__document.xml.rels": text})


@pytest.mark.parametrize(
    "content",
    [
        PDF.replace(b"<<>>", b"<</S /J#61vaScript /J#53 (app.alert)>>"),
        PDF.replace(b"<<>>", b"<</S /#4c#61#75#6E#63#68>>"),
        with_objects(b"1 0 <</S/JavaScript/JS(app.alert(1))>>"),
        with_objects(b"1 0 <</S/Rendition/JS 5 0 R>>", b"/Filter[/FlateDecode]/First 4"),
        with_objects(b"1 0 <<>>", b"/Type/Obj#53tm/First 4/Filter/LZWDecode"),
        with_objects(b"1 0 <<>>", b"/Type/ObjStm/First 4/Filter[/ASCIIHexDecode/FlateDecode]"),
        with_objects(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>",
            b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode/Pad(%s)" % (b" " * 5000),
        ),
        with_objects(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>",
            b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode/Pad(7 0 obj)",
        ),
        with_objects(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>" + b"<</A 1>>" * 200_000,
        ),
        with_objects(b"1 0 <</S/JavaScript/JS(app.alert(1))>>", b"/N 1/First 4/Filter 9 0 R"),
        with_objects(
            b"1 0 <<>>", b"/Type/ObjStm/First 4/Filter/FlateDecode/DecodeParms<</Predictor 12>>"
        ),
        pdf_of(b"<</Names <</A#46 1 /EmbeddedFile#73 2>> /AA <</O <</S /J#61vaScrip#74>>>>>>"),
        docx(types=MACROS.decode().encode("utf-16")),
        docx(types=MACROS.replace(b"macroEnabled", b"m&#97;croEnabled")),
        led("attachedTemplate", "https://evil.example/a.dotm"),
        led("attachedTemplate", r"file:///\\evil.example\a.dotm"),
        led("image", r"\\evil.example\a.png"),
        led("oleObject", "a.bin"),
        led("aFChunk", "a.mht"),
        docx(**{"word__embeddings__a.xlsm": b"PK"}),
    ],
    ids=(
        *("a letter as its number", "all letters so", "packed", "packed, and short"),
        *("packed unusually", "packed twice", "far from its head", "a false head"),
        *("much packed", "a filter elsewhere", "shifted bytes", "spelt by numbers"),
        *("another encoding", "an entity", "its template"),
        *("a template of a share", "a picture of a share", "an object", "another file", "a book"),
    ),
)
def test_a_program_that_hides_is_found(content):
    with pytest.raises(ArticleError, match="macro"):
        files.kind_of(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (docx(**{"word__settings.xml": "<!DOCTYPE a [<!ENTITY x 'y'>]>".encode("utf-16")}), "bomb"),
        (docx(**{"..__..__x": b"x"}), "kind"),
    ],
    ids=("entities", "a part that climbs"),
)
def test_a_document_against_the_rules_is_refused(content, code):
    with pytest.raises(ArticleError, match=code):
        files.kind_of(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda: docx(**{"word___rels__document.xml.rels": RELATIONS * 40_000}), "bomb"),
        (lambda: docx(**{"word___rels__document.xml.rels": b"<a>" * 400_000}), "bomb"),
    ],
    ids=("many relations", "deep relations"),
)
def test_a_description_larger_than_any_document_has_is_refused(content, code):
    with pytest.raises(ArticleError, match=code):
        files.kind_of(content())


def test_a_pdf_that_unpacks_to_far_more_is_refused():
    with pytest.raises(ArticleError, match="bomb"):
        files.kind_of(with_objects(bytes(pdf.UNPACKED_BYTES + 1)))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (with_objects(b"1 0 <</Type/Page>>"), "pdf"),
        (PDF.replace(b"<<>>", b"<<>>stream\n\x00/JS\xff\nendstream"), "pdf"),
        (led("attachedTemplate", "file:///C:\\Users\\a\\Normal.dotm"), "docx"),
        (led("hyperlink", "https://lex.uz/"), "docx"),
    ],
    ids=("packed objects", "a picture's bytes", "a template of his own", "a link"),
)
def test_what_ordinary_files_hold_is_taken(content, kind):
    assert files.kind_of(content) == kind


def test_a_zip_that_lies_of_its_sizes_is_refused():
    honest = docx(word__media=bytes(60 * 1024 * 1024))
    size = struct.pack("<I", 60 * 1024 * 1024)
    with pytest.raises(ArticleError, match="bomb|kind"):
        files.kind_of(honest.replace(size, struct.pack("<I", 10)))


def test_a_zip_of_too_many_parts_is_refused():
    with pytest.raises(ArticleError, match="bomb"):
        files.kind_of(docx(**{f"word__{n}": b"" for n in range(package.MAX_PARTS)}))


def test_a_refused_file_changes_nothing(draft, sherzod):
    bad = files.Sent("x.exe", b"MZ")
    good = files.Sent("C:\\hujjat\\ariza.doc", PDF)
    with pytest.raises(ArticleError, match="kind"):
        save(draft, sherzod, Words(title_uz="Boshqa"), sent=[good, bad])
    assert (fresh(draft).title_uz, ArticleFile.select().count()) == (WORDS.title_uz, 0)
    save(draft, sherzod, sent=[good])
    [kept] = files.of_version(fresh(draft))
    assert (kept.name, kept.kind) == ("ariza.pdf", "pdf")
    assert files.found(fresh(draft), kept.id).content == PDF


def test_a_file_stays_as_long_as_a_version_shows_it(draft, sherzod, bahodir):
    save(draft, sherzod, sent=[files.Sent("a.png", png())])
    first = in_force(draft, sherzod, bahodir)
    [number] = fresh(first).files
    second = articles.begin(first.article, sherzod, fresh(first))
    save(second, sherzod, without=[number])
    assert fresh(second).files == []
    assert files.found(fresh(first), number)
    assert files.found(fresh(second), number) is None


def test_a_version_shows_so_many_files(draft, sherzod):
    with pytest.raises(ArticleError, match="many"):
        save(draft, sherzod, sent=[files.Sent("a.png", png())] * (files.MOST + 1))


# what was shown is proved


def test_an_opening_stands_on_the_call_with_its_version(published, nilufar, sardor):
    first = openings.opened(published, nilufar, "ru", "c1", "t1")
    assert openings.opened(published, nilufar, "ru", "c1", "t1") == first
    openings.opened(published, sardor, "ru", "c2")
    openings.opened(published, nilufar, "ru", "", "t2")
    [shown] = openings.at_call("c1")
    assert (shown.version, shown.who) == (published, "nilufar")
    assert len(openings.at_call("c1", ["t2"])) == 2
    assert openings.at_call("", []) == []
    told = openings.exported(openings.at_call("c1", ["t2"]))
    assert told == [{"article": "subsidiya-olish", "version": 1}]


def test_who_opened_it_says_whether_it_was_useful(published, nilufar, sardor):
    made = openings.opened(published, nilufar, "ru", "c1")
    assert openings.say(made.id, sardor, False) is False
    assert openings.say(made.id, nilufar, True)
    now = clock.now()
    used = openings.use(now - dt.timedelta(days=1), now + dt.timedelta(seconds=1))
    [counted] = used.values()
    assert (counted.opened, counted.on_calls, counted.useful, counted.useless) == (1, 1, 1, 0)
    assert counted.last == made.at
    assert openings.use(now - dt.timedelta(days=9), now - dt.timedelta(days=8)) == {}


def test_an_opening_without_a_call_counts_once_in_a_while(published, nilufar, monkeypatch):
    openings.opened(published, nilufar, "ru")
    openings.opened(published, nilufar, "ru")
    assert ArticleOpening.select().count() == 1
    later = clock.now() + dt.timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    openings.opened(published, nilufar, "ru")
    assert ArticleOpening.select().count() == 2


# searching


@pytest.mark.parametrize("text", ["subsidiya", "Субсидия ол", "субсидии", "445", "OʻRQ", "15 дней"])
def test_it_is_found_in_any_script_by_the_beginnings_of_words(published, text):
    assert knowledge.found(text, TODAY) == [published]


def test_a_draft_is_not_found(draft):
    assert knowledge.found("subsidiya", TODAY) == []
    assert not SearchEntry.select().exists()


def test_what_is_misspelt_is_found_too(published):
    for text in ("subsidya olsh", "subsidiyalarni", "субсыдия"):
        assert knowledge.found(text, TODAY) == [published], text
    assert knowledge.found("qwertz", TODAY) == []


def test_the_search_follows_what_is_in_force(published, sherzod, bahodir, monkeypatch):
    row = articles.begin(published.article, sherzod, published)
    words = replace(WORDS, title_uz="Nafaqa olish", title_ru="Пособие")
    articles.save(row, sherzod, row.revision, words, PLACE)
    assert knowledge.found("nafaqa", TODAY) == []
    for action, who in (("send", sherzod), ("approve", bahodir)):
        row = ArticleVersion.get_by_id(row.id)
        row = articles.do(action, row, who, row.revision)
    since = clock.now() + dt.timedelta(hours=1)
    articles.do("put", row, sherzod, row.revision, since=since)
    assert knowledge.found("nafaqa", TODAY) == []  # it waits for its hour
    assert knowledge.found("subsidiya", TODAY)[:1] == [published]
    monkeypatch.setattr(clock, "now", lambda: since)
    assert [one.id for one in knowledge.found("nafaqa", TODAY)] == [row.id]
    now = articles.in_force(published.article)
    articles.do("retire", now, sherzod, now.revision)
    assert knowledge.found("nafaqa", TODAY) == []
    assert not SearchEntry.select().exists()


def test_a_search_in_vain_is_kept_once_and_as_it_ended(settings, nilufar, sardor):
    for text in ("pen", "pensi", "pensiya", "Pensiya", "xy", "93 555 01 47"):
        knowledge.nothing_found(text, nilufar)
    knowledge.nothing_found("Пенсия", sardor)
    assert ArticleMiss.select().count() == 2
    now = clock.now()
    [miss] = openings.missed(now - dt.timedelta(days=1), now + dt.timedelta(seconds=1))
    assert miss.times == 2


# what comes along


def test_the_product_s_articles_come_as_drafts_in_both_languages(settings):
    made = knowledge.seed()
    assert knowledge.seed() == 0
    rows = list(ArticleVersion.select())
    assert len(rows) == made == len(seeding.product())
    sections = catalogs.labels(articles.SECTIONS, "ru")
    topics = catalogs.labels(articles.TOPICS, "ru")
    covered = set()
    for row in rows:
        assert (row.state, row.by) == ("draft", "")
        assert wording.has(row, "uz"), row.article.slug
        assert wording.has(row, "ru"), row.article.slug
        assert row.article.section in sections
        assert set(row.article.topics) <= set(topics)
        assert "'" not in row.title_uz + row.text_uz
        covered.update(row.article.topics)
    assert covered == set(topics)


CALLERS_WORDS = {
    "yonalish-mehnat-huquqi-buzilishi": (
        *("зарплата", "ish haqi", "oylik", "маош", "иш хаки", "зарплату", "зарплата не платят"),
        *("уволили", "увольнение"),
    ),
    "yonalish-mehnat-maslahati": (
        *("отпуск", "taʼtil", "ta'til", "таътил", "mehnat shartnoma", "трудовой договор"),
    ),
    "yonalish-homiladorlik": ("декрет", "dekret", "декретный", "декрета"),
    "yonalish-ishga-joylashish": (
        *("пособие", "посбие", "nafaqa", "нафака", "пособие по безработице", "вакансии", "bandlik"),
    ),
    "yonalish-kasbga-oqitish": ("monomarkaz", "мономарказ", "курсы"),
    "yonalish-tashqi-migratsiya": ("работа за границей", "xorijda ish"),
    "yonalish-subsidiyalar": ("кредит", "qarz", "материальная помощь"),
    "yonalish-tibbiy-ijtimoiy": ("инвалид", "nogironlik", "ногирон"),
    "yonalish-milliy-mehnat-tizimi": ("трудовая книжка", "daftarcha"),
}


def test_articles_are_found_as_callers_say_it(settings) -> None:
    """The product's articles, as if the ministry had approved them: among the first three."""
    catalogs.seed()
    seeding.seed()
    with writing():
        ArticleVersion.update(state="put", since=clock.now()).execute()
        for article in Article.select():
            knowledge.searching.remember(article)
    for slug, words in CALLERS_WORDS.items():
        for typed in words:
            found = [row.article.slug for row in knowledge.found(typed, TODAY, 3)]
            assert slug in found, (typed, found)


def test_the_manager_adds_words(draft, sherzod, bahodir) -> None:
    place = replace(PLACE, other_words=" tekin pul,  халява ")
    articles.put_place(draft.article, sherzod, place)
    row = in_force(draft, sherzod, bahodir)
    for typed in ("tekin pul", "текин", "халяву", "кредит"):
        assert [one.id for one in knowledge.found(typed, TODAY)] == [row.id], typed
    assert articles.place_of(row.article).other_words == "tekin pul, халява"
    articles.put_place(row.article, sherzod, PLACE)
    assert knowledge.found("халяву", TODAY) == []
