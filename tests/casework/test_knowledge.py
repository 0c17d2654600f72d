"""Articles: valid texts and files, what readers are shown, and the record of openings."""

import datetime as dt
import io
import struct
import zipfile
import zlib
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.casework import catalogs, versions
from appliance.casework.changes import requests
from appliance.casework.documents import package, pdf
from appliance.casework.knowledge import (
    articles,
    files,
    listing,
    markdown,
    openings,
    searching,
    seeding,
    wording,
)
from appliance.casework.knowledge.articles import ArticleContent, ArticlePlacement
from appliance.core import clock
from appliance.core.db import write_transaction
from appliance.core.refusals import Refused
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
from tests.rig.documents import make_pdf

TODAY = dt.date(2026, 11, 30)
PLACE = ArticlePlacement("appeals", ("subsidies",))
WORDS = ArticleContent(
    title_uz="Subsidiya olish",
    text_uz="Ariza **15 kun** ichida koʻriladi.",
    title_ru="Получение субсидии",
    text_ru="Заявление рассматривается **15 дней**.",
    law="Murojaatlar toʻgʻrisida",
    law_number="OʻRQ-445",
    law_on=dt.date(2017, 9, 11),
)

RELATIONS_NAMESPACE = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
RELATIONS = b'<Relationship Id="a" Type="b" Target="c"/>'
MACRO_TYPES = (
    b'<Types><D ContentType="application/vnd.ms-word.document.macroEnabled.main"/></Types>'
)


def build_docx(**more: bytes) -> bytes:
    """A DOCX file with the minimal parts, and those in `more`."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("[Content_Types].xml", more.pop("types", b"<Types/>"))
        packed.writestr("word/document.xml", b"<w:document/>")
        for name, content in more.items():
            packed.writestr(name.replace("__", "/"), content)
    return buffer.getvalue()


def build_png(width: int = 2, height: int = 2) -> bytes:
    head = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + head + struct.pack(">I", zlib.crc32(head))


def pdf_with_compressed_objects(objects: bytes) -> bytes:
    """A PDF whose objects are compressed."""
    stream = b"<</Type /ObjStm /Filter /FlateDecode>>\nstream\n" + zlib.compress(objects)
    return PDF.replace(b"<<>>", stream + b"\nendstream")


PDF = make_pdf(b"<<>>")
JPEG = b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x00\x10\x00\x10\x01\x11\x00\x00"


@pytest.fixture
def draft(settings, sherzod) -> ArticleVersion:
    return articles.create_article(sherzod, WORDS, PLACE)


@pytest.fixture
def published(draft, sherzod, bahodir) -> ArticleVersion:
    return put_in_force(draft, sherzod, bahodir)


def put_in_force(row, sherzod, bahodir, since=None) -> ArticleVersion:
    for action, user in (("send", sherzod), ("approve", bahodir), ("put", sherzod)):
        row = reload_version(row)
        row = articles.change_version_status(
            action, row, user, row.revision, since=since if action == "put" else None
        )
    return row


def reload_version(row: ArticleVersion) -> ArticleVersion:
    return ArticleVersion.get_by_id(row.id)


def save_draft(row, user, words=WORDS, place=PLACE, **more) -> None:
    articles.save_draft(
        reload_version(row), user, reload_version(row).revision, words, place, **more
    )


# writing


def test_an_article_is_given_a_slug_from_its_title(draft, sherzod):
    assert (draft.article.slug, draft.number) == ("subsidiya-olish", 1)
    second = articles.create_article(sherzod, WORDS, PLACE)
    assert second.article.slug == "subsidiya-olish-2"


def test_apostrophes_are_normalised_and_the_script_is_detected(settings, sherzod):
    words = ArticleContent(
        title_uz="To'lov", text_uz="- O'zbekiston\n\n    kod", title_ru="", text_ru=""
    )
    row = articles.create_article(sherzod, words, PLACE)
    assert (row.title_uz, row.text_uz) == ("Toʻlov", "- Oʻzbekiston\n\n    kod")
    assert row.script == "Latn"
    cyrillic = ArticleContent(title_uz="Тўлов", text_uz="Ўзбекистон")
    assert articles.create_article(sherzod, cyrillic, PLACE).script == "Cyrl"


@pytest.mark.parametrize(
    ("words", "place", "code"),
    [
        (ArticleContent(text_uz="Matn"), PLACE, "title"),
        (WORDS, ArticlePlacement("yoʻq"), "section"),
        (WORDS, ArticlePlacement("appeals", ("yoʻq",)), "topic"),
        (WORDS, ArticlePlacement("appeals", owner="nilufar"), "owner"),
    ],
)
def test_an_invalid_article_is_refused(settings, sherzod, words, place, code):
    with pytest.raises(Refused, match=code):
        articles.create_article(sherzod, words, place)
    assert not Article.select().exists()


def test_only_the_manager_writes_articles(settings, draft, bahodir, nilufar):
    for user in (bahodir, nilufar):
        with pytest.raises(Refused, match="action"):
            articles.create_article(user, WORDS, PLACE)
        with pytest.raises(Refused, match="action"):
            save_draft(draft, user)


def test_both_languages_are_required_before_sending_to_the_ministry(settings, sherzod):
    row = articles.create_article(
        sherzod, ArticleContent(title_uz="Faqat", text_uz="oʻzbekcha"), PLACE
    )
    with pytest.raises(Refused, match="languages"):
        articles.change_version_status("send", row, sherzod, 1)
    assert reload_version(row).state == "draft"


def test_a_new_version_leaves_the_current_one_in_force_until_it_takes_effect(
    published, sherzod, bahodir
):
    article = published.article
    second = articles.begin_draft(article, sherzod, published)
    save_draft(second, sherzod, ArticleContent(**(vars(WORDS) | {"text_ru": "Другое"})))
    assert articles.version_in_force(article) == published
    differences = articles.version_differences(published, reload_version(second))
    assert differences == [("text_ru", WORDS.text_ru, "Другое")]
    put_in_force(second, sherzod, bahodir)
    assert articles.version_in_force(article) == second
    assert versions.version_status(reload_version(published)) == "retired"


def test_putting_in_force_for_a_change_request_is_linked_to_it(draft, sherzod, bahodir, settings):
    calendar = catalogs.working_calendar(settings)
    request = requests.create_change_request(bahodir, "other", "Maqola", "Kerak", calendar)
    save_draft(draft, sherzod, request=request)
    put_in_force(draft, sherzod, bahodir)
    [link] = ChangeLink.select()
    assert (link.request, link.kind, link.ref) == (request, "article", "subsidiya-olish/1")
    assert link.after["law_number"] == "OʻRQ-445"


def test_discarding_the_only_draft_deletes_the_new_article(draft, published, sherzod):
    new_draft = articles.create_article(sherzod, WORDS, PLACE)
    assert articles.discard_draft(new_draft, sherzod, new_draft.revision) is False
    second = articles.begin_draft(published.article, sherzod, published)
    assert articles.discard_draft(second, sherzod, second.revision) is True
    assert Article.select().count() == 1


def test_an_expired_article_is_neither_suggested_nor_found(draft, sherzod, bahodir):
    save_draft(draft, sherzod, ArticleContent(**(vars(WORDS) | {"expires_on": TODAY})))
    put_in_force(draft, sherzod, bahodir)
    tomorrow = TODAY + dt.timedelta(days=1)
    assert listing.published_versions(TODAY, "subsidies")
    assert searching.search_articles("subsidiya", TODAY)
    assert listing.published_versions(tomorrow, "subsidies") == []
    assert searching.search_articles("subsidiya", tomorrow) == []
    [listed] = listing.list_articles(tomorrow)
    assert listed.expired


def test_the_review_is_due_on_its_day(published, sherzod, bahodir):
    articles.change_placement(
        published.article, sherzod, ArticlePlacement("labour", (), "bahodir", TODAY)
    )
    assert listing.count_open_tasks(sherzod, TODAY - dt.timedelta(days=1)) == 0
    assert listing.count_open_tasks(sherzod, TODAY) == 1
    [listed] = listing.list_articles(TODAY)
    assert (listed.review, listed.article.owner.login) == (True, "bahodir")
    assert AuditEntry.select().where(AuditEntry.action == "article.place").count() == 1


# what readers are shown


def test_the_other_script_is_transliterated_and_marked_as_such(draft):
    wordings = {
        locale: wording.localized_article(draft, locale) for locale in ("uz_Latn", "uz_Cyrl", "ru")
    }
    assert [text.is_transliterated for text in wordings.values()] == [False, True, False]
    assert wordings["uz_Cyrl"].title == "Субсидия олиш"
    assert "<strong>15 кун</strong> ичида кўрилади" in wordings["uz_Cyrl"].html
    assert wordings["ru"].plain == "Заявление рассматривается 15 дней."


def test_quoted_text_is_transliterated_and_abbreviations_stay(settings, sherzod):
    words = ArticleContent(
        title_uz="SMS va PDF", text_uz="«Yozma ravishda» [saytda](https://mehnat.uz/a)"
    )
    text = wording.localized_article(articles.create_article(sherzod, words, PLACE), "uz_Cyrl")
    assert (text.title, text.plain) == ("SMS ва PDF", "«Ёзма равишда» сайтда")
    assert 'href="https://mehnat.uz/a"' in text.html


def test_a_cyrillic_article_is_transliterated_to_latin(settings, sherzod):
    words = ArticleContent(
        title_uz="Мурожаат", text_uz="Ариза [сайтда](https://mehnat.uz/ariza), PDF"
    )
    row = articles.create_article(sherzod, words, PLACE)
    text = wording.localized_article(row, "uz_Latn")
    assert (text.title, text.is_transliterated) == ("Murojaat", True)
    assert 'href="https://mehnat.uz/ariza"' in text.html
    assert text.plain == "Ariza saytda, PDF"
    assert wording.localized_article(row, "ru").locale == "uz_Cyrl"  # there is no Russian text


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
def test_no_markup_in_a_text_becomes_active_html(attack):
    html = markdown.render_html(attack).lower()
    assert_harmless(html)


@given(st.text(alphabet=st.sampled_from("<>\"'()[]`*_#|!:/\\ \nabjs=&;"), max_size=60))
def test_no_text_produces_a_disallowed_tag(text):
    assert_harmless(markdown.render_html(text))


def assert_harmless(html: str) -> None:
    from html.parser import HTMLParser

    class TagChecker(HTMLParser):
        def handle_starttag(self, tag, attrs):
            assert tag in markdown.ALLOWED_TAGS
            for name, value in attrs:
                assert name in ("href", "title", "rel", "start")
                if name == "href":
                    scheme = value.partition(":")[0].lower() if ":" in value else ""
                    assert scheme in (*markdown.ALLOWED_URL_SCHEMES, ""), value

    TagChecker().feed(html)


# files


@pytest.mark.parametrize(
    ("content", "kind"),
    [(PDF, "pdf"), (build_docx(), "docx"), (build_png(), "png"), (JPEG, "jpeg")],
    ids=("pdf", "docx", "png", "jpeg"),
)
def test_the_kind_of_a_file_is_detected_from_its_content(content, kind):
    assert files.detect_kind(content) == kind


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
        (pdf_with_compressed_objects(b"1 0 <</S /JavaScript /JS (app.alert)>>"), "macro"),
        (lambda: pdf_with_compressed_objects(bytes(60 * 1024 * 1024)), "bomb"),
        (b"GIF89a" + build_png(), "kind"),
        (
            build_docx(word__vbaProject_bin=b"x").replace(b"vbaProject_bin", b"vbaProject.bin"),
            "macro",
        ),
        (build_docx(types=MACRO_TYPES), "macro"),
        (lambda: build_docx(word__media_bomb=bytes(60 * 1024 * 1024)), "bomb"),
        (build_docx()[:60], "kind"),
        (build_png(60_000, 60_000), "bomb"),
        (build_png()[:20], "kind"),
        (b"\xff\xd8\xff\xe0\x00", "kind"),
    ],
    # archive bytes as ids would contain the time at which they were created
    ids=(
        *("nothing", "too large", "program", "drawing", "cut off", "script", "start"),
        *("script by numbers", "packed script", "packed bomb", "another picture", "macros"),
        *("macro document", "bomb", "half a document", "large picture", "half a picture", "jpeg"),
    ),
)
def test_an_unsupported_or_dangerous_file_is_refused(content, code):
    with pytest.raises(Refused, match=code):
        files.detect_kind(content() if callable(content) else content)


def pdf_with_object_stream(
    text: bytes, head: bytes = b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode"
) -> bytes:
    """A PDF that contains compressed objects."""
    packed = zlib.compress(text)
    return make_pdf(b"<<%s/Length %d>>stream\n%s\nendstream" % (head, len(packed), packed))


def docx_with_relation(kind: str, target: str) -> bytes:
    """A DOCX file with an external relation of the given kind to `target`."""
    relation = f'<Relationship Type="http://x/{kind}" Target="{target}" TargetMode="External"/>'
    text = f"<Relationships {RELATIONS_NAMESPACE}>{relation}</Relationships>".encode("utf-16")
    return build_docx(**{"word___rels__document.xml.rels": text})


@pytest.mark.parametrize(
    "content",
    [
        PDF.replace(b"<<>>", b"<</S /J#61vaScript /J#53 (app.alert)>>"),
        PDF.replace(b"<<>>", b"<</S /#4c#61#75#6E#63#68>>"),
        pdf_with_object_stream(b"1 0 <</S/JavaScript/JS(app.alert(1))>>"),
        pdf_with_object_stream(b"1 0 <</S/Rendition/JS 5 0 R>>", b"/Filter[/FlateDecode]/First 4"),
        pdf_with_object_stream(b"1 0 <<>>", b"/Type/Obj#53tm/First 4/Filter/LZWDecode"),
        pdf_with_object_stream(
            b"1 0 <<>>", b"/Type/ObjStm/First 4/Filter[/ASCIIHexDecode/FlateDecode]"
        ),
        pdf_with_object_stream(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>",
            b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode/Pad(%s)" % (b" " * 5000),
        ),
        pdf_with_object_stream(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>",
            b"/Type/ObjStm/N 1/First 4/Filter/FlateDecode/Pad(7 0 obj)",
        ),
        pdf_with_object_stream(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>" + b"<</A 1>>" * 200_000,
        ),
        pdf_with_object_stream(
            b"1 0 <</S/JavaScript/JS(app.alert(1))>>", b"/N 1/First 4/Filter 9 0 R"
        ),
        pdf_with_object_stream(
            b"1 0 <<>>", b"/Type/ObjStm/First 4/Filter/FlateDecode/DecodeParms<</Predictor 12>>"
        ),
        make_pdf(b"<</Names <</A#46 1 /EmbeddedFile#73 2>> /AA <</O <</S /J#61vaScrip#74>>>>>>"),
        build_docx(types=MACRO_TYPES.decode().encode("utf-16")),
        build_docx(types=MACRO_TYPES.replace(b"macroEnabled", b"m&#97;croEnabled")),
        docx_with_relation("attachedTemplate", "https://evil.example/a.dotm"),
        docx_with_relation("attachedTemplate", r"file:///\\evil.example\a.dotm"),
        docx_with_relation("image", r"\\evil.example\a.png"),
        docx_with_relation("oleObject", "a.bin"),
        docx_with_relation("aFChunk", "a.mht"),
        build_docx(**{"word__embeddings__a.xlsm": b"PK"}),
    ],
    ids=(
        *("a letter as its number", "all letters so", "packed", "packed, and short"),
        *("packed unusually", "packed twice", "far from its head", "a false head"),
        *("much packed", "a filter elsewhere", "shifted bytes", "spelt by numbers"),
        *("another encoding", "an entity", "its template"),
        *("a template of a share", "a picture of a share", "an object", "another file", "a book"),
    ),
)
def test_hidden_active_content_is_detected(content):
    with pytest.raises(Refused, match="macro"):
        files.detect_kind(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (
            build_docx(**{"word__settings.xml": "<!DOCTYPE a [<!ENTITY x 'y'>]>".encode("utf-16")}),
            "bomb",
        ),
        (build_docx(**{"..__..__x": b"x"}), "kind"),
    ],
    ids=("entities", "a part that climbs"),
)
def test_a_document_with_entities_or_unsafe_paths_is_refused(content, code):
    with pytest.raises(Refused, match=code):
        files.detect_kind(content)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (lambda: build_docx(**{"word___rels__document.xml.rels": RELATIONS * 40_000}), "bomb"),
        (lambda: build_docx(**{"word___rels__document.xml.rels": b"<a>" * 400_000}), "bomb"),
    ],
    ids=("many relations", "deep relations"),
)
def test_an_oversized_description_is_refused(content, code):
    with pytest.raises(Refused, match=code):
        files.detect_kind(content())


def test_a_pdf_that_decompresses_beyond_the_limit_is_refused():
    with pytest.raises(Refused, match="bomb"):
        files.detect_kind(pdf_with_object_stream(bytes(pdf.MAX_UNPACKED_BYTES + 1)))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (pdf_with_object_stream(b"1 0 <</Type/Page>>"), "pdf"),
        (PDF.replace(b"<<>>", b"<<>>stream\n\x00/JS\xff\nendstream"), "pdf"),
        (docx_with_relation("attachedTemplate", "file:///C:\\Users\\a\\Normal.dotm"), "docx"),
        (docx_with_relation("hyperlink", "https://lex.uz/"), "docx"),
    ],
    ids=("packed objects", "a picture's bytes", "a template of his own", "a link"),
)
def test_ordinary_files_are_accepted(content, kind):
    assert files.detect_kind(content) == kind


def test_a_zip_with_false_sizes_is_refused():
    honest = build_docx(word__media=bytes(60 * 1024 * 1024))
    size = struct.pack("<I", 60 * 1024 * 1024)
    with pytest.raises(Refused, match="bomb|kind"):
        files.detect_kind(honest.replace(size, struct.pack("<I", 10)))


def test_a_zip_with_too_many_parts_is_refused():
    with pytest.raises(Refused, match="bomb"):
        files.detect_kind(build_docx(**{f"word__{n}": b"" for n in range(package.MAX_PARTS)}))


def test_a_refused_file_changes_nothing(draft, sherzod):
    bad = files.UploadedFile("x.exe", b"MZ")
    good = files.UploadedFile("C:\\hujjat\\ariza.doc", PDF)
    with pytest.raises(Refused, match="kind"):
        save_draft(draft, sherzod, ArticleContent(title_uz="Boshqa"), uploads=[good, bad])
    assert (reload_version(draft).title_uz, ArticleFile.select().count()) == (WORDS.title_uz, 0)
    save_draft(draft, sherzod, uploads=[good])
    [stored_file] = files.version_files(reload_version(draft))
    assert (stored_file.name, stored_file.kind) == ("ariza.pdf", "pdf")
    assert files.find_file(reload_version(draft), stored_file.id).content == PDF


def test_a_file_remains_available_while_a_version_contains_it(draft, sherzod, bahodir):
    save_draft(draft, sherzod, uploads=[files.UploadedFile("a.png", build_png())])
    first = put_in_force(draft, sherzod, bahodir)
    [number] = reload_version(first).files
    second = articles.begin_draft(first.article, sherzod, reload_version(first))
    save_draft(second, sherzod, removed_ids=[number])
    assert reload_version(second).files == []
    assert files.find_file(reload_version(first), number)
    assert files.find_file(reload_version(second), number) is None


def test_the_number_of_files_in_a_version_is_limited(draft, sherzod):
    with pytest.raises(Refused, match="many"):
        save_draft(
            draft,
            sherzod,
            uploads=[files.UploadedFile("a.png", build_png())] * (files.MAX_FILES_PER_VERSION + 1),
        )


# the record of what was shown


def test_an_opening_is_recorded_for_the_call_with_its_version(published, nilufar, sardor):
    first = openings.record_opening(published, nilufar, "ru", "c1", "t1")
    assert openings.record_opening(published, nilufar, "ru", "c1", "t1") == first
    openings.record_opening(published, sardor, "ru", "c2")
    openings.record_opening(published, nilufar, "ru", "", "t2")
    [opening] = openings.articles_opened_at_call("c1")
    assert (opening.version, opening.who) == (published, "nilufar")
    assert len(openings.articles_opened_at_call("c1", ["t2"])) == 2
    assert openings.articles_opened_at_call("", []) == []
    exported = openings.export_opened_articles(openings.articles_opened_at_call("c1", ["t2"]))
    assert exported == [{"article": "subsidiya-olish", "version": 1}]


def test_only_the_user_who_opened_an_article_rates_it(published, nilufar, sardor):
    opening = openings.record_opening(published, nilufar, "ru", "c1")
    assert openings.record_feedback(opening.id, sardor, False) is False
    assert openings.record_feedback(opening.id, nilufar, True)
    now = clock.now()
    used = openings.usage_by_article(now - dt.timedelta(days=1), now + dt.timedelta(seconds=1))
    [counted] = used.values()
    assert (counted.opened, counted.on_calls, counted.useful, counted.useless) == (1, 1, 1, 0)
    assert counted.last == opening.at
    assert openings.usage_by_article(now - dt.timedelta(days=9), now - dt.timedelta(days=8)) == {}


def test_an_opening_without_a_call_counts_once_per_period(published, nilufar, monkeypatch):
    openings.record_opening(published, nilufar, "ru")
    openings.record_opening(published, nilufar, "ru")
    assert ArticleOpening.select().count() == 1
    later = clock.now() + dt.timedelta(hours=1)
    monkeypatch.setattr(clock, "now", lambda: later)
    openings.record_opening(published, nilufar, "ru")
    assert ArticleOpening.select().count() == 2


# searching


@pytest.mark.parametrize("text", ["subsidiya", "Субсидия ол", "субсидии", "445", "OʻRQ", "15 дней"])
def test_an_article_is_found_in_any_script_by_the_beginnings_of_words(published, text):
    assert searching.search_articles(text, TODAY) == [published]


def test_a_draft_is_not_found(draft):
    assert searching.search_articles("subsidiya", TODAY) == []
    assert not SearchEntry.select().exists()


def test_misspelt_words_are_found(published):
    for text in ("subsidya olsh", "subsidiyalarni", "субсыдия"):
        assert searching.search_articles(text, TODAY) == [published], text
    assert searching.search_articles("qwertz", TODAY) == []


def test_the_search_index_follows_the_version_in_force(published, sherzod, bahodir, monkeypatch):
    row = articles.begin_draft(published.article, sherzod, published)
    words = replace(WORDS, title_uz="Nafaqa olish", title_ru="Пособие")
    articles.save_draft(row, sherzod, row.revision, words, PLACE)
    assert searching.search_articles("nafaqa", TODAY) == []
    for action, user in (("send", sherzod), ("approve", bahodir)):
        row = ArticleVersion.get_by_id(row.id)
        row = articles.change_version_status(action, row, user, row.revision)
    since = clock.now() + dt.timedelta(hours=1)
    articles.change_version_status("put", row, sherzod, row.revision, since=since)
    assert searching.search_articles("nafaqa", TODAY) == []  # its time has not come yet
    assert searching.search_articles("subsidiya", TODAY)[:1] == [published]
    monkeypatch.setattr(clock, "now", lambda: since)
    assert [hit.id for hit in searching.search_articles("nafaqa", TODAY)] == [row.id]
    now = articles.version_in_force(published.article)
    articles.change_version_status("retire", now, sherzod, now.revision)
    assert searching.search_articles("nafaqa", TODAY) == []
    assert not SearchEntry.select().exists()


def test_an_unsuccessful_search_is_recorded_once_in_its_final_form(settings, nilufar, sardor):
    for text in ("pen", "pensi", "pensiya", "Pensiya", "xy", "93 555 01 47"):
        searching.record_failed_search(text, nilufar)
    searching.record_failed_search("Пенсия", sardor)
    assert ArticleMiss.select().count() == 2
    now = clock.now()
    [miss] = openings.failed_searches(now - dt.timedelta(days=1), now + dt.timedelta(seconds=1))
    assert miss.times == 2


# shipped articles


def test_the_shipped_articles_are_seeded_as_drafts_in_both_languages(settings):
    article_count = seeding.seed_articles()
    assert seeding.seed_articles() == 0
    rows = list(ArticleVersion.select())
    assert len(rows) == article_count == len(seeding.product_articles())
    sections = catalogs.labels_by_code(articles.SECTION_LIST, "ru")
    topics = catalogs.labels_by_code(articles.DIRECTION_LIST, "ru")
    covered = set()
    for row in rows:
        assert (row.state, row.by) == ("draft", "")
        assert wording.has_language(row, "uz"), row.article.slug
        assert wording.has_language(row, "ru"), row.article.slug
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


def test_articles_are_found_by_words_that_callers_use(settings) -> None:
    """The shipped articles, if approved by the ministry, are among the first three results."""
    catalogs.seed_lists()
    seeding.seed_articles()
    with write_transaction():
        ArticleVersion.update(state="put", since=clock.now()).execute()
        for article in Article.select():
            searching.update_search_index(article)
    for slug, words in CALLERS_WORDS.items():
        for typed in words:
            slugs = [row.article.slug for row in searching.search_articles(typed, TODAY, 3)]
            assert slug in slugs, (typed, slugs)


def test_words_added_by_the_manager_are_searchable(draft, sherzod, bahodir) -> None:
    place = replace(PLACE, other_words=" tekin pul,  халява ")
    articles.change_placement(draft.article, sherzod, place)
    row = put_in_force(draft, sherzod, bahodir)
    for typed in ("tekin pul", "текин", "халяву", "кредит"):
        assert [hit.id for hit in searching.search_articles(typed, TODAY)] == [row.id], typed
    assert articles.article_placement(row.article).other_words == "tekin pul, халява"
    articles.change_placement(row.article, sherzod, PLACE)
    assert searching.search_articles("халяву", TODAY) == []
