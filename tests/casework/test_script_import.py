"""Scripts out of documents and spreadsheets: what is read, and what is refused unopened."""

import contextlib
import io
import zipfile
from pathlib import Path

import docx
import openpyxl
import pytest

from appliance.casework import documents
from appliance.casework.documents import script_text
from appliance.casework.scripts import checks, importing
from appliance.casework.scripts.importing import UnreadableError
from tests.rig.documents import docx_of


def document(fill) -> bytes:
    made, sent = docx.Document(), io.BytesIO()
    fill(made)
    made.save(sent)
    return sent.getvalue()


def sheet(*rows) -> bytes:
    book, sent = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(sent)
    return sent.getvalue()


def with_part(content: bytes, name: str, held: bytes) -> bytes:
    sent = io.BytesIO(content)
    with zipfile.ZipFile(sent, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, held)
    return sent.getvalue()


HELLO = sheet(
    ("Qadam", "Oʻzbekcha", "Ruscha", "Izoh"),
    ("Salom / Приветствие", "Assalomu alaykum!", "Здравствуйте!", "Sekin ayting"),
    ("Savol", "Ёрдам керакми? Қандай?", "Чем помочь?", None),
)


def test_each_line_of_a_spreadsheet_is_a_step():
    made = importing.read("Birinchi suhbat.xlsx", HELLO)
    assert made.title == {"uz": "Birinchi suhbat"}
    first, last = made.steps
    assert first.name == {"uz": "Salom", "ru": "Приветствие"}
    assert first.said == {"uz": "Assalomu alaykum!", "ru": "Здравствуйте!"}
    assert first.note == {"uz": "Sekin ayting"}
    assert [answer.to for answer in first.answers] == ["2"]
    assert last.said["uz"] == "Yordam kerakmi? Qanday?"
    assert last.ends
    found = {one.code for one in checks.findings(made, checks.Known())}
    assert found == {"title", "note"}  # what is still to be written in Russian


def test_headings_text_and_lists_of_a_document_are_steps():
    def fill(made):
        made.add_heading("Salomlashish", 1)
        made.add_paragraph("Assalomu alaykum!")
        made.add_paragraph("Здравствуйте!")
        made.add_heading("Savol", 1)
        made.add_paragraph("Nima masala boʻyicha?")
        made.add_paragraph("По какому вопросу?")
        made.add_paragraph("Subsidiya", style="List Bullet")
        made.add_paragraph("- Ish / Работа")
        table = made.add_table(rows=1, cols=3)
        for cell, text in zip(
            table.rows[0].cells, ("Xayr", "Sogʻ boʻling!", "До свидания!"), strict=True
        ):
            cell.text = text

    made = importing.read("a.docx", document(fill))
    assert [step.name["uz"] for step in made.steps] == ["Salomlashish", "Savol", "Xayr"]
    assert made.steps[0].said == {"uz": "Assalomu alaykum!", "ru": "Здравствуйте!"}
    assert [answer.words for answer in made.steps[1].answers] == [
        {"uz": "Subsidiya"},
        {"uz": "Ish", "ru": "Работа"},
    ]
    assert made.steps[2].said["ru"] == "До свидания!"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file"),
        (b"%PDF-1.7", "file"),
        (HELLO[:400], "file"),
        (b"\0" * (importing.LARGEST + 1), "large"),
        (with_part(HELLO, "xl/vbaProject.bin", b"x"), "macro"),
        (lambda: with_part(HELLO, "bomb.xml", b"\0" * (script_text.UNPACKED_BYTES + 1)), "bomb"),
        (document(lambda made: None), "empty"),
        (sheet(*[(str(n), "Gap nima. Gap.", "", "") for n in range(201)]), "steps"),
    ],
    ids=["empty file", "pdf", "cut off", "large", "macro", "bomb", "no text", "too many"],
)
def test_what_cannot_be_a_script_is_refused(content, code):
    with pytest.raises(UnreadableError) as refused:
        importing.read("a.docx", content() if callable(content) else content)
    assert refused.value.code == code


@pytest.mark.parametrize("part", ["[Content_Types].xml", "word/document.xml", "word/styles.xml"])
@pytest.mark.parametrize("offset", [0, 1, 5, 20])
def test_a_damaged_package_is_refused(part, offset):
    """Whatever a byte of a packed part is: no page fails."""
    whole = document(lambda made: made.add_paragraph("Salom"))
    with zipfile.ZipFile(io.BytesIO(whole)) as package:
        found = package.getinfo(part)
    start = found.header_offset + 30 + len(part) + offset
    for byte in (0x00, 0xFF, 0x07):
        damaged = whole[:start] + bytes([byte]) * 3 + whole[start + 3 :]
        with contextlib.suppress(UnreadableError):
            importing.read("a.docx", damaged)


def test_a_package_of_something_else_is_refused():
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w") as package:
        package.writestr("[Content_Types].xml", "<a/>")
        package.writestr("word/document.xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;")
    with pytest.raises(UnreadableError, match="file"):
        importing.read("a.docx", sent.getvalue())
    types = b"application/vnd.ms-word.document.macroEnabled.main+xml"
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w") as package:
        package.writestr("[Content_Types].xml", types)
    with pytest.raises(UnreadableError, match="macro"):
        importing.read("a.docm", sent.getvalue())


WIDE_CELL = (
    b'<w:tbl><w:tr><w:tc><w:tcPr><w:gridSpan w:val="2000000000"/></w:tcPr>'
    b"<w:p><w:r><w:t>Salom. Yordam kerakmi?</w:t></w:r></w:p></w:tc></w:tr></w:tbl>"
)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        (lambda: WIDE_CELL, None),
        (lambda: b"<w:p/>" * 12_000_000, "bomb|file"),
        (lambda: b"<w:tbl>" * 300_000, "bomb|file"),
    ],
    ids=["a cell of two billion columns", "empty paragraphs", "nested tables"],
)
def test_a_small_document_takes_no_memory_of_the_pages(body, refusal):
    content = docx_of(body())
    Path("/proc/self/clear_refs").write_text("5")  # begins the peak of memory again
    before = peak_megabytes()
    if refusal:
        with pytest.raises(UnreadableError, match=refusal):
            importing.read("a.docx", content)
    else:
        assert importing.read("a.docx", content).steps
    assert peak_megabytes() - before < 50


def peak_megabytes() -> int:
    """The largest resident memory of this process since its peak was cleared."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def test_a_reader_that_fails_unexpectedly_is_logged(monkeypatch, caplog):
    monkeypatch.setattr(documents, "_MODULE", "appliance.casework.documents.missing")
    with pytest.raises(UnreadableError, match="file"):
        importing.read("a.docx", HELLO)
    assert "No module named" in caplog.text
