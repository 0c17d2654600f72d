"""Tables for office programs: the one writer of CSV, and what keeps a typed text a text.

A cell that begins with =, +, - or @ is a formula to them, whoever typed it. A file that is opened
with another separator than its own has further beginnings of cells: behind each separator and line
end within a text. An apostrophe there makes it text again.
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

MARK = "\ufeff"  # begins a file that office programs shall read as UTF-8
ROWS = 500  # of a piece

_SIGNS = "=+@\uff1d\uff0b\uff20\uff0d-"  # the wide ones are taken for the narrow ones
_BEGINS = rf"\A{{0}}(?=[\s\"']*[{_SIGNS}])|(?<=[;,|\t\r\n]){{0}}(?=[\"']*[{_SIGNS}])"
_HARMFUL = re.compile(_BEGINS.format(""))
_MARKED = re.compile(_BEGINS.format("'"))
_NUMBER = re.compile(r"[+-]?\d[\d \u00a0]*(?:[.,]\d+)?", re.ASCII)  # a phone's too


def harmless(text: str) -> str:
    """The text as no office program can take it for a formula; `typed` takes it back."""
    return text if _NUMBER.fullmatch(text) else _HARMFUL.sub("'", text)


def typed(text: str) -> str:
    """What `harmless` was given."""
    return _MARKED.sub("", text)


def pieces(
    rows: Iterable[Sequence[object]], delimiter: str = ",", end: str = "\r\n"
) -> Iterator[str]:
    """Rows of values as CSV, ROWS of them at a time; numbers stay numbers, None is empty."""
    piece = io.StringIO()
    writer = csv.writer(piece, delimiter=delimiter, lineterminator=end)
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell(value) for value in row])
        if number % ROWS == 0:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def written(rows: Iterable[Sequence[object]]) -> str:
    """The same in one piece."""
    return "".join(pieces(rows))


def _cell(value: object) -> object:
    return value if isinstance(value, int | float | Decimal | None) else harmless(str(value))
