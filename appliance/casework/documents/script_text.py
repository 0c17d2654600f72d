"""The steps of a conversation script, out of a Word document or a spreadsheet.

In a table each line is a step: its name, what the operator says in Uzbek, in Russian, a note for
the operator. In a text a heading begins a step, the text below it is what the operator says, in
the language in which it is written; a line of a list is an answer.
"""

import io
import lzma
import mimetypes
import re
import struct
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice, zip_longest
from typing import Any

mimetypes.knownfiles.clear()  # openpyxl reads them at import, and the sandbox refuses

import docx  # noqa: E402
import openpyxl  # noqa: E402
from docx.opc.exceptions import PackageNotFoundError  # noqa: E402
from docx.table import Table  # noqa: E402
from openpyxl.utils.exceptions import InvalidFileException  # noqa: E402

from appliance.casework.documents.errors import DocumentError  # noqa: E402
from appliance.casework.scripts.definition import (  # noqa: E402
    MOST_ANSWERS,
    MOST_STEPS,
    RUSSIAN,
    UZBEK,
)
from appliance.casework.scripts.languages import in_latin, language_of  # noqa: E402

UNPACKED_BYTES = 100 * 1024 * 1024  # of its parts
MAX_PARTS = 2_000
MAX_LINES = 5_000  # read of a document
MAX_COLUMNS = 4  # name, Uzbek, Russian, note

_WORD, _SHEET = "word/document.xml", "xl/workbook.xml"
_MACROS = re.compile(r"vbaProject|macro|activeX|\.bin$", re.IGNORECASE)
_ITEM = re.compile(r"^\s*(?:[-–•*]|\d{1,2}[.)])\s+")
_HEADINGS = ("Heading", "Title", "Заголовок", "Название", "Sarlavha")

# what the libraries raise over a damaged package, or over one of another kind
_DAMAGE = (
    *(zipfile.BadZipFile, PackageNotFoundError, InvalidFileException, SyntaxError),
    *(LookupError, ValueError, OSError, AttributeError, TypeError, ArithmeticError, RuntimeError),
    *(zlib.error, lzma.LZMAError, struct.error, EOFError),
)


@dataclass
class _Step:
    name: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    note: dict[str, str] = field(default_factory=dict)
    answers: list[dict[str, str]] = field(default_factory=list)


def steps_of(content: bytes) -> list[dict[str, Any]]:
    """The steps of a file: name, said, note (each text by language) and answers.

    Raises DocumentError: `file`, `bomb`, `macro`, `empty`, `steps`.
    """
    parts = _check_package(content)
    try:
        steps = [step for step in _read_steps(parts, content) if _has_text(step)]
    except (DocumentError, RecursionError):
        raise
    except _DAMAGE as error:
        raise DocumentError("file") from error
    if not steps:
        raise DocumentError("empty")
    if len(steps) > MOST_STEPS:
        raise DocumentError("steps")
    return [asdict(step) for step in steps]


def _has_text(step: _Step) -> bool:
    return bool(step.said or step.name or step.answers)


def _check_package(content: bytes) -> set[str]:
    """The names of the parts of a file that may be opened: bounded, and without macros."""
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except _DAMAGE as error:
        raise DocumentError("file") from error
    parts = package.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > UNPACKED_BYTES:
        raise DocumentError("bomb")
    try:
        types = package.read("[Content_Types].xml")
    except _DAMAGE as error:
        raise DocumentError("file") from error
    has_macro_type = b"macroEnabled" in types or b"vbaProject" in types
    if has_macro_type or any(_MACROS.search(part.filename) for part in parts):
        raise DocumentError("macro")
    return set(package.namelist())


def _read_steps(parts: set[str], content: bytes) -> Iterator[_Step]:
    if _WORD in parts:
        return _document_steps(docx.Document(io.BytesIO(content)))
    if _SHEET in parts:
        return _sheet_steps(content)
    raise DocumentError("file")


def _sheet_steps(content: bytes) -> Iterator[_Step]:
    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        if book.worksheets:
            rows = book.worksheets[0].iter_rows(
                max_col=MAX_COLUMNS, max_row=MAX_LINES, values_only=True
            )
            yield from _row_steps([["" if c is None else str(c) for c in row] for row in rows])
    finally:
        book.close()


def _document_steps(document: Any) -> Iterator[_Step]:
    """The steps of a document's tables, and of the text between them, in their order."""
    step = _Step()
    for block in islice(document.iter_inner_content(), MAX_LINES):
        if isinstance(block, Table):
            yield step
            step = _Step()
            yield from _row_steps([_cell_texts(row) for row in block.rows])
            continue
        text, style = block.text.strip(), (block.style.name if block.style else "") or ""
        if not text:
            continue
        if style.startswith(_HEADINGS):
            yield step
            step = _Step(name=_by_language(text))
        elif style.startswith("List") or _ITEM.match(text):
            _add_answer(step, _ITEM.sub("", text))
        else:
            for language, words in _by_language(text).items():
                step.said[language] = "\n".join(filter(None, (step.said.get(language), words)))
    yield step


def _cell_texts(row: Any) -> list[str]:
    """The texts of a row's first columns; a merged cell counts for each column that it spans.

    The library's own row.cells makes a list as long as a cell claims to span.
    """
    cells: list[Any] = []
    for cell in row._tr.tc_lst:
        while cell.vMerge == "continue":
            cell = cell._tc_above
        cells += [cell] * min(cell.grid_span, MAX_COLUMNS - len(cells))
        if len(cells) >= MAX_COLUMNS:
            break
    return ["\n".join(paragraph.text for paragraph in cell.p_lst) for cell in cells]


def _row_steps(rows: Sequence[Sequence[str]]) -> Iterator[_Step]:
    """A step of each line of a table; a first line that heads the columns is left out."""
    for number, row in enumerate(rows):
        name, uzbek, russian, note = (
            cell.strip()
            for cell, _ in zip_longest(row[:MAX_COLUMNS], range(MAX_COLUMNS), fillvalue="")
        )
        if number == 0 and not _is_sentence(uzbek) and not _is_sentence(russian):
            continue
        words = {UZBEK: in_latin(uzbek), RUSSIAN: russian}
        notes = _by_language(note) if note else {}
        names = _by_language(name) if name else {}
        yield _Step(names, {language: text for language, text in words.items() if text}, notes)


def _is_sentence(text: str) -> bool:
    """Whether a cell holds a sentence, not the head of a column."""
    return len(text.split()) > 3 or bool(re.search(r"[.!?]", text))


def _by_language(text: str) -> dict[str, str]:
    """A text under its language; "Uzbek / Russian" under both."""
    parts = [part.strip() for part in re.split(r"\s/\s", text, maxsplit=1)]
    return {language_of(part): in_latin(part) for part in parts if part}


def _add_answer(step: _Step, text: str) -> None:
    words = _by_language(text)
    last = step.answers[-1] if step.answers else None
    if last and not set(last) & set(words):  # the same answer in the other language
        last.update(words)
    elif len(step.answers) < MOST_ANSWERS:
        step.answers.append(words)
