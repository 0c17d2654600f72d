"""Importing scripts from documents and spreadsheets: what is read, and what is refused unopened."""

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
from appliance.core.refusals import Refused
from tests.rig.documents import make_docx


def build_document(fill) -> bytes:
    document_built, buffer = docx.Document(), io.BytesIO()
    fill(document_built)
    document_built.save(buffer)
    return buffer.getvalue()


def build_sheet(*rows) -> bytes:
    book, sent = openpyxl.Workbook(), io.BytesIO()
    for row in rows:
        book.active.append(row)
    book.save(sent)
    return sent.getvalue()


def add_package_part(content: bytes, name: str, part_content: bytes) -> bytes:
    sent = io.BytesIO(content)
    with zipfile.ZipFile(sent, "a", zipfile.ZIP_DEFLATED) as package:
        package.writestr(name, part_content)
    return sent.getvalue()


HELLO = build_sheet(
    ("Qadam", "Oʻzbekcha", "Ruscha", "Izoh"),
    ("Salom / Приветствие", "Assalomu alaykum!", "Здравствуйте!", "Sekin ayting"),
    ("Savol", "Ёрдам керакми? Қандай?", "Чем помочь?", None),
)


def test_each_row_of_a_spreadsheet_becomes_a_step():
    script = importing.parse_script_file("Birinchi suhbat.xlsx", HELLO)
    assert script.title == {"uz": "Birinchi suhbat"}
    first, last = script.steps
    assert first.name == {"uz": "Salom", "ru": "Приветствие"}
    assert first.said == {"uz": "Assalomu alaykum!", "ru": "Здравствуйте!"}
    assert first.note == {"uz": "Sekin ayting"}
    assert [answer.to for answer in first.answers] == ["2"]
    assert last.said["uz"] == "Yordam kerakmi? Qanday?"
    assert last.ends
    codes = {
        finding.code for finding in checks.script_findings(script, checks.AvailableReferences())
    }
    assert codes == {"title", "note"}  # these still have to be written in Russian


def test_headings_texts_and_lists_of_a_document_become_steps():
    def fill_document(docx_document):
        docx_document.add_heading("Salomlashish", 1)
        docx_document.add_paragraph("Assalomu alaykum!")
        docx_document.add_paragraph("Здравствуйте!")
        docx_document.add_heading("Savol", 1)
        docx_document.add_paragraph("Nima masala boʻyicha?")
        docx_document.add_paragraph("По какому вопросу?")
        docx_document.add_paragraph("Subsidiya", style="List Bullet")
        docx_document.add_paragraph("- Ish / Работа")
        table = docx_document.add_table(rows=1, cols=3)
        for cell, text in zip(
            table.rows[0].cells, ("Xayr", "Sogʻ boʻling!", "До свидания!"), strict=True
        ):
            cell.text = text

    script = importing.parse_script_file("a.docx", build_document(fill_document))
    assert [step.name["uz"] for step in script.steps] == ["Salomlashish", "Savol", "Xayr"]
    assert script.steps[0].said == {"uz": "Assalomu alaykum!", "ru": "Здравствуйте!"}
    assert [answer.words for answer in script.steps[1].answers] == [
        {"uz": "Subsidiya"},
        {"uz": "Ish", "ru": "Работа"},
    ]
    assert script.steps[2].said["ru"] == "До свидания!"


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"", "file"),
        (b"%PDF-1.7", "file"),
        (HELLO[:400], "file"),
        (b"\0" * (importing.MAX_SCRIPT_FILE_BYTES + 1), "large"),
        (add_package_part(HELLO, "xl/vbaProject.bin", b"x"), "macro"),
        (
            lambda: add_package_part(
                HELLO, "bomb.xml", b"\0" * (script_text.MAX_UNPACKED_BYTES + 1)
            ),
            "bomb",
        ),
        (build_document(lambda document: None), "empty"),
        (build_sheet(*[(str(n), "Gap nima. Gap.", "", "") for n in range(201)]), "steps"),
    ],
    ids=["empty file", "pdf", "cut off", "large", "macro", "bomb", "no text", "too many"],
)
def test_an_unreadable_or_dangerous_file_is_refused(content, code):
    with pytest.raises(Refused) as error:
        importing.parse_script_file("a.docx", content() if callable(content) else content)
    assert error.value.code == code


@pytest.mark.parametrize("part", ["[Content_Types].xml", "word/document.xml", "word/styles.xml"])
@pytest.mark.parametrize("offset", [0, 1, 5, 20])
def test_a_damaged_package_is_refused(part, offset):
    """Whatever byte of a compressed part is damaged, reading raises only Refused."""
    content = build_document(lambda document: document.add_paragraph("Salom"))
    with zipfile.ZipFile(io.BytesIO(content)) as package:
        part_info = package.getinfo(part)
    start = part_info.header_offset + 30 + len(part) + offset
    for byte in (0x00, 0xFF, 0x07):
        damaged = content[:start] + bytes([byte]) * 3 + content[start + 3 :]
        with contextlib.suppress(Refused):
            importing.parse_script_file("a.docx", damaged)


def test_a_package_of_another_kind_is_refused():
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w") as package:
        package.writestr("[Content_Types].xml", "<a/>")
        package.writestr("word/document.xml", "<!DOCTYPE a [<!ENTITY x 'y'>]><a>&x;")
    with pytest.raises(Refused, match="file"):
        importing.parse_script_file("a.docx", sent.getvalue())
    types = b"application/vnd.ms-word.document.macroEnabled.main+xml"
    sent = io.BytesIO()
    with zipfile.ZipFile(sent, "w") as package:
        package.writestr("[Content_Types].xml", types)
    with pytest.raises(Refused, match="macro"):
        importing.parse_script_file("a.docm", sent.getvalue())


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
def test_a_small_document_does_not_exhaust_memory(body, refusal):
    content = make_docx(body())
    Path("/proc/self/clear_refs").write_text("5")  # resets the peak memory counter
    before = peak_megabytes()
    if refusal:
        with pytest.raises(Refused, match=refusal):
            importing.parse_script_file("a.docx", content)
    else:
        assert importing.parse_script_file("a.docx", content).steps
    assert peak_megabytes() - before < 50


def peak_megabytes() -> int:
    """The largest resident memory of this process since the peak counter was reset."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) // 1024


def test_an_unexpected_reader_failure_is_logged(monkeypatch, caplog):
    monkeypatch.setattr(documents, "_READER_MODULE", "appliance.casework.documents.missing")
    with pytest.raises(Refused, match="file"):
        importing.parse_script_file("a.docx", HELLO)
    assert "No module named" in caplog.text
