"""Extracts the steps of a conversation script from a Word document or a spreadsheet.

In a table each row is a step: its name, what the operator says in Uzbek, in Russian, and a note for
the operator. In running text a heading begins a step, the text below it is what the operator says,
in the language in which it is written; a list item is an answer.
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

from appliance.core.refusals import Refused

mimetypes.knownfiles.clear()  # openpyxl reads these files at import, and the sandbox refuses that

import docx  # noqa: E402
import openpyxl  # noqa: E402
from docx.opc.exceptions import PackageNotFoundError  # noqa: E402
from docx.table import Table  # noqa: E402
from openpyxl.utils.exceptions import InvalidFileException  # noqa: E402

from appliance.casework.scripts.definition import (  # noqa: E402
    MAX_ANSWERS,
    MAX_STEPS,
    RUSSIAN,
    UZBEK,
)
from appliance.casework.scripts.languages import detect_language, latin_text  # noqa: E402

MAX_UNPACKED_BYTES = 100 * 1024 * 1024  # of all parts of the file together
MAX_PARTS = 2_000
MAX_LINES = 5_000  # read from one document
MAX_COLUMNS = 4  # name, Uzbek, Russian, note

_WORD_PART, _SPREADSHEET_PART = "word/document.xml", "xl/workbook.xml"
_MACRO_PART_NAME = re.compile(r"vbaProject|macro|activeX|\.bin$", re.IGNORECASE)
_LIST_MARKER = re.compile(r"^\s*(?:[-–•*]|\d{1,2}[.)])\s+")
_HEADING_STYLES = ("Heading", "Title", "Заголовок", "Название", "Sarlavha")

# raised by the libraries for a damaged package, or for one of another kind
_DAMAGED_PACKAGE_ERRORS = (
    *(zipfile.BadZipFile, PackageNotFoundError, InvalidFileException, SyntaxError),
    *(LookupError, ValueError, OSError, AttributeError, TypeError, ArithmeticError, RuntimeError),
    *(zlib.error, lzma.LZMAError, struct.error, EOFError),
)


@dataclass
class _Step:
    """One step of a script, each text by language: `said` by the operator, `note` for them."""

    name: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    note: dict[str, str] = field(default_factory=dict)
    answers: list[dict[str, str]] = field(default_factory=list)


def steps_of(content: bytes) -> list[dict[str, Any]]:
    """Return the steps of a file: name, said, note (each text by language) and answers.

    Raises Refused with the codes of documents.script_steps().
    """
    parts = _check_package(content)
    try:
        steps = [step for step in _read_steps(parts, content) if _has_more_than_note(step)]
    except (Refused, RecursionError):  # subclasses of the next ones, but no damage
        raise
    except _DAMAGED_PACKAGE_ERRORS as error:
        raise Refused("file") from error
    if not steps:
        raise Refused("empty")
    if len(steps) > MAX_STEPS:
        raise Refused("steps")
    return [asdict(step) for step in steps]


def _has_more_than_note(step: _Step) -> bool:
    """Return True if a step has more than a note; a note alone is no step."""
    return bool(step.said or step.name or step.answers)


def _check_package(content: bytes) -> set[str]:
    """Check that a file is of limited size and without macros; returns the names of its parts.

    Raises Refused with the code `file` if it is damaged, `bomb` if it is too large, `macro` if it
    has macros.
    """
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except _DAMAGED_PACKAGE_ERRORS as error:
        raise Refused("file") from error
    parts = package.infolist()
    if len(parts) > MAX_PARTS or sum(part.file_size for part in parts) > MAX_UNPACKED_BYTES:
        raise Refused("bomb")
    try:
        types = package.read("[Content_Types].xml")
    except _DAMAGED_PACKAGE_ERRORS as error:
        raise Refused("file") from error
    has_macro_type = b"macroEnabled" in types or b"vbaProject" in types
    if has_macro_type or any(_MACRO_PART_NAME.search(part.filename) for part in parts):
        raise Refused("macro")
    return set(package.namelist())


def _read_steps(parts: set[str], content: bytes) -> Iterator[_Step]:
    """Return the steps of a file, also empty ones; `parts` are the names of its parts.

    Raises Refused "file" if it is neither a Word document nor a spreadsheet.
    """
    if _WORD_PART in parts:
        return _document_steps(docx.Document(io.BytesIO(content)))
    if _SPREADSHEET_PART in parts:
        return _sheet_steps(content)
    raise Refused("file")


def _sheet_steps(content: bytes) -> Iterator[_Step]:
    """Yield the steps of a spreadsheet's first sheet: one for each of the first MAX_LINES rows."""
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
    """Yield the steps of a document's tables and of the text between them, in document order.

    A step may be empty, such as the text before the first heading.
    """
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
        if style.startswith(_HEADING_STYLES):
            yield step
            step = _Step(name=_texts_by_language(text))
        elif style.startswith("List") or _LIST_MARKER.match(text):
            _add_answer(step, _LIST_MARKER.sub("", text))
        else:
            for language, text_part in _texts_by_language(text).items():
                step.said[language] = "\n".join(filter(None, (step.said.get(language), text_part)))
    yield step


def _cell_texts(row: Any) -> list[str]:
    """Return the texts of a row's first columns; a merged cell counts for each of its columns.

    The library's own row.cells is not used: its list is as long as a cell claims to span, without
    a limit.
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
    """Yield a step for each row of a table; a first row that holds column headings is left out."""
    for number, row in enumerate(rows):
        # a short row is filled up with empty cells
        name, uzbek, russian, note = (
            cell.strip()
            for cell, _ in zip_longest(row[:MAX_COLUMNS], range(MAX_COLUMNS), fillvalue="")
        )
        if number == 0 and not _is_sentence(uzbek) and not _is_sentence(russian):
            continue
        spoken_texts = {UZBEK: latin_text(uzbek), RUSSIAN: russian}
        notes = _texts_by_language(note) if note else {}
        names = _texts_by_language(name) if name else {}
        yield _Step(
            names, {language: text for language, text in spoken_texts.items() if text}, notes
        )


def _is_sentence(text: str) -> bool:
    """Return True if a cell holds a sentence, not a column heading."""
    return len(text.split()) > 3 or bool(re.search(r"[.!?]", text))


def _texts_by_language(text: str) -> dict[str, str]:
    """Return a text by its language; a text "Uzbek / Russian" is split into its two languages."""
    parts = [part.strip() for part in re.split(r"\s/\s", text, maxsplit=1)]
    return {detect_language(part): latin_text(part) for part in parts if part}


def _add_answer(step: _Step, text: str) -> None:
    """Add a list item to the answers of a step; answers beyond MAX_ANSWERS are dropped.

    If the last answer lacks the item's language, the item is that answer's translation.
    """
    texts = _texts_by_language(text)
    last_answer = step.answers[-1] if step.answers else None
    if last_answer and not set(last_answer) & set(texts):
        last_answer.update(texts)
    elif len(step.answers) < MAX_ANSWERS:
        step.answers.append(texts)
