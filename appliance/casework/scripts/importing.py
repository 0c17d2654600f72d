"""A script out of the customer's own document: a Word document or a spreadsheet, as a draft.

In a table each line is a step: its name, what is said in Uzbek, in Russian, a note for the
operator. In a text a heading begins a step, what stands below it is said, in the language in which
it is written; a line of a list is an answer. Each step leads to the next one: branches are drawn
by hand afterwards. Nothing in a file is run, and one that unpacks to far more is not opened.
"""

import io
import lzma
import re
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import count, islice, zip_longest
from typing import Any

import alifbo

from appliance.casework.scripts.definition import (
    LONGEST,
    MOST_ANSWERS,
    MOST_STEPS,
    RUSSIAN,
    UZBEK,
    Answer,
    Definition,
    Step,
    parse,
)
from appliance.core.i18n import fold

LARGEST = 20 * 1024 * 1024  # bytes of a file
UNPACKED = 100 * 1024 * 1024  # bytes of what is in it
_PARTS = 2_000  # files within it
_MOST_LINES = 5_000  # read of a document
_WORD, _SHEET = "word/document.xml", "xl/workbook.xml"
_MACROS = re.compile(r"vbaProject|macro|activeX|\.bin$", re.IGNORECASE)
_UZBEK = re.compile("[ўқғҳЎҚҒҲ]")
_CYRILLIC = re.compile("[а-яёА-ЯЁ]")
_ITEM = re.compile(r"^\s*(?:[-–•*]|\d{1,2}[.)])\s+")


# what the libraries raise over a package that is none of theirs, or damaged
_BROKEN = (
    *(zipfile.BadZipFile, SyntaxError),
    *(LookupError, ValueError, OSError, AttributeError, TypeError, RuntimeError, ArithmeticError),
    *(zlib.error, lzma.LZMAError, struct.error, EOFError),
)


class UnreadableError(ValueError):
    """A file that is no script; `code` names why: large, file, bomb, macro, empty, steps."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass
class _Step:
    name: dict[str, str] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    note: dict[str, str] = field(default_factory=dict)
    answers: list[dict[str, str]] = field(default_factory=list)


def read(name: str, content: bytes) -> Definition:
    """The draft of a file's text; `name` is what the file is called.

    Raises UnreadableError, and DefinitionError for texts that no step can hold.
    """
    with _opened(content) as package:
        parts = set(package.namelist())
    steps = [one for one in _steps(parts, content) if one.said or one.name or one.answers]
    if not steps:
        raise UnreadableError("empty")
    if len(steps) > MOST_STEPS:
        raise UnreadableError("steps")
    return parse(_document(name.rpartition(".")[0] or name, steps))


def _steps(parts: set[str], content: bytes) -> list[_Step]:
    # 7 MB that no process needs before somebody brings a file.
    import docx
    from docx.opc.exceptions import PackageNotFoundError
    from openpyxl.utils.exceptions import InvalidFileException

    try:
        if _WORD in parts:
            return list(_of_document(docx.Document(io.BytesIO(content))))
        if _SHEET in parts:
            return list(_of_sheet(content))
    except UnreadableError:
        raise
    except (*_BROKEN, PackageNotFoundError, InvalidFileException) as error:
        raise UnreadableError("file") from error
    raise UnreadableError("file")


def into(before: Definition, made: Definition) -> Definition:
    """A text that was read anew, as the next version of a script.

    Title and calls stay. A step is known by its name: its actions, fields, note and ways stay where
    the text says nothing else, so that what was drawn by hand is not drawn twice.
    """
    known = {_key(step): step for step in reversed(before.steps) if _key(step)}
    kept = {step.code: known[_key(step)] for step in made.steps if _key(step) in known}
    taken = [one.code for one in before.steps]
    fresh = (str(n) for n in count(1) if str(n) not in taken)
    codes = {s.code: kept[s.code].code if s.code in kept else next(fresh) for s in made.steps}
    return replace(
        before, steps=tuple(_over(kept.get(step.code), step, codes) for step in made.steps)
    )


def _key(step: Step) -> str:
    return fold(step.name.get(UZBEK) or step.name.get(RUSSIAN) or "")


def _over(old: Step | None, new: Step, codes: Mapping[str, str]) -> Step:
    """A step of the text over the one of its name."""
    ways = tuple(Answer(one.words, codes[one.to]) for one in new.answers)
    if not old:
        return replace(new, code=codes[new.code], answers=ways)
    worded = any(one.words for one in new.answers)
    if worded and len(ways) == len(old.answers):
        ways = tuple(
            replace(was, words=one.words) for was, one in zip(old.answers, ways, strict=True)
        )
    return replace(
        old,
        name={**old.name, **new.name},
        said={**old.said, **new.said},
        note={**old.note, **new.note},
        answers=ways if worded else old.answers,
    )


def _opened(content: bytes) -> zipfile.ZipFile:
    """The package of a file that may be opened: its size, what it unpacks to, no macros."""
    if len(content) > LARGEST:
        raise UnreadableError("large")
    try:
        package = zipfile.ZipFile(io.BytesIO(content))
    except _BROKEN as error:
        raise UnreadableError("file") from error
    parts = package.infolist()
    if len(parts) > _PARTS or sum(part.file_size for part in parts) > UNPACKED:
        raise UnreadableError("bomb")
    if any(_MACROS.search(part.filename) for part in parts) or _says_macros(package):
        raise UnreadableError("macro")
    return package


def _says_macros(package: zipfile.ZipFile) -> bool:
    try:
        types = package.read("[Content_Types].xml")
    except _BROKEN as error:
        raise UnreadableError("file") from error
    return b"macroEnabled" in types or b"vbaProject" in types


def _of_sheet(content: bytes) -> Iterator[_Step]:
    import openpyxl

    book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
    try:
        sheet = book.worksheets[0] if book.worksheets else None
        rows = sheet.iter_rows(max_col=4, max_row=_MOST_LINES, values_only=True) if sheet else ()
        yield from _of_rows([["" if c is None else str(c) for c in row] for row in rows])
    finally:
        book.close()


def _of_document(document: Any) -> Iterator[_Step]:
    """The steps of a document's tables, and of the text between them, in their order."""
    from docx.table import Table

    step = _Step()
    for block in islice(document.iter_inner_content(), _MOST_LINES):
        if isinstance(block, Table):
            yield step
            step = _Step()
            rows = [[cell.text for cell in row.cells[:4]] for row in block.rows]
            yield from _of_rows(rows)
            continue
        text, style = block.text.strip(), (block.style.name if block.style else "") or ""
        if not text:
            continue
        if style.startswith(("Heading", "Title", "Заголовок", "Название", "Sarlavha")):
            yield step
            step = _Step(name=_both(text))
        elif style.startswith("List") or _ITEM.match(text):
            _add_answer(step, _ITEM.sub("", text))
        else:
            for language, words in _both(text).items():
                step.said[language] = "\n".join(filter(None, (step.said.get(language), words)))
    yield step


def _of_rows(rows: Sequence[Sequence[str]]) -> Iterator[_Step]:
    """A step of each line of a table; a first line that heads the columns is left out."""
    for number, row in enumerate(rows):
        name, uzbek, russian, note = (
            cell.strip() for cell, _ in zip_longest(row[:4], range(4), fillvalue="")
        )
        if number == 0 and not _speaks(uzbek) and not _speaks(russian):
            continue
        words = {UZBEK: _latin(uzbek), RUSSIAN: russian}
        notes = _both(note) if note else {}
        yield _Step(_both(name) if name else {}, {k: v for k, v in words.items() if v}, notes)


def _speaks(text: str) -> bool:
    """Whether a cell holds a sentence, and no head of a column."""
    return len(text.split()) > 3 or bool(re.search(r"[.!?]", text))


def _both(text: str) -> dict[str, str]:
    """A text under its language; "Uzbek / Russian" under both."""
    parts = [part.strip() for part in re.split(r"\s/\s", text, maxsplit=1)]
    return {_language(part): _latin(part) for part in parts if part}


def _language(text: str) -> str:
    return RUSSIAN if _CYRILLIC.search(text) and not _UZBEK.search(text) else UZBEK


def _latin(text: str) -> str:
    """Uzbek as scripts are written, in Latin letters."""
    return alifbo.from_cyrillic(text).text if _UZBEK.search(text) else text


def _add_answer(step: _Step, text: str) -> None:
    words = _both(text)
    last = step.answers[-1] if step.answers else None
    if last and not set(last) & set(words):  # the same answer in the other language
        last.update(words)
    elif len(step.answers) < MOST_ANSWERS:
        step.answers.append(words)


def _document(title: str, steps: Sequence[_Step]) -> dict[str, Any]:
    entries = []
    for number, step in enumerate(steps, 1):
        after = str(number + 1)
        is_last = number == len(steps)
        name = step.name or {lang: text.partition("\n")[0] for lang, text in step.said.items()}
        answers = step.answers or [{}]
        entry = {
            "code": str(number),
            "name": _cut(name, "name"),
            "said": _cut(step.said, "said"),
            "note": _cut(step.note, "note"),
            "answers": [{"words": _cut(one, "words"), "to": after} for one in answers],
        }
        entries.append(entry | ({"answers": [], "ends": True} if is_last else {}))
    return {"title": {_language(title): _latin(title)[: LONGEST["title"]]}, "steps": entries}


def _cut(words: dict[str, str], what: str) -> dict[str, str]:
    """Names shortened to what one holds; what is said is never cut, but refused (`long`)."""
    if what in ("said", "note"):
        return words
    return {language: text[: LONGEST[what]] for language, text in words.items()}


def accepted() -> Iterable[str]:
    """How names of files end that can be imported, for the page's field."""
    return (".docx", ".xlsx")
