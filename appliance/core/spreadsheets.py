"""Tables for office programs: the only CSV writer, and the escaping of formulas.

Office programs treat a cell that begins with =, +, - or @ as a formula, even if a person typed it.
If such a program opens a file with the wrong separator, a cell may also begin inside a text: after
each separator or line end in it. An apostrophe at each such place makes the program treat the
content as text.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal

BYTE_ORDER_MARK = "\ufeff"  # begins a file so that office programs read it as UTF-8
ROWS_PER_PIECE = 500  # rows in one piece: so few that a piece needs little memory

_FORMULA_SIGNS = "=+@\uff1d\uff0b\uff20\uff0d-"  # wide signs count like the narrow ones
# Where a formula could begin: at the start of a cell, or after a separator. {} is the place of what
# is there already: nothing, or the apostrophe that escapes it.
_FORMULA_START = (
    rf"\A{{0}}(?=[\s\"']*[{_FORMULA_SIGNS}])|(?<=[;,|\t\r\n]){{0}}(?=[\"']*[{_FORMULA_SIGNS}])"
)
_UNESCAPED_FORMULA = re.compile(_FORMULA_START.format(""))
_ESCAPED_FORMULA = re.compile(_FORMULA_START.format("'"))
_NUMBER = re.compile(r"[+-]?\d[\d \u00a0]*(?:[.,]\d+)?", re.ASCII)  # also matches a phone number


def escape_formulas(text: str) -> str:
    """Return a text for a cell that no office program reads as a formula; numbers stay unchanged.

    An apostrophe is added where a formula would begin; `unescape_formulas` removes it.
    """
    return text if _NUMBER.fullmatch(text) else _UNESCAPED_FORMULA.sub("'", text)


def unescape_formulas(text: str) -> str:
    """Return the original of a text that `escape_formulas` returned."""
    return _ESCAPED_FORMULA.sub("", text)


def csv_pieces(
    rows: Iterable[Sequence[object]], delimiter: str = ",", end: str = "\r\n"
) -> Iterator[str]:
    """Yield rows as pieces of CSV text, each of ROWS_PER_PIECE rows, to save memory.

    The last piece has fewer rows, and may be empty. Each row ends with `end`. Numbers stay numbers,
    None is an empty cell, and formulas in texts are escaped.
    """
    piece = io.StringIO()
    writer = csv.writer(piece, delimiter=delimiter, lineterminator=end)
    for number, row in enumerate(rows, 1):
        writer.writerow([_cell_value(value) for value in row])
        if number % ROWS_PER_PIECE == 0:
            yield piece.getvalue()
            piece.seek(0)
            piece.truncate()
    yield piece.getvalue()


def csv_file_pieces(
    headings: Sequence[object], rows: Iterable[Sequence[object]], delimiter: str = ";"
) -> Iterator[str]:
    """Yield, in pieces, a CSV file that office programs read as UTF-8: headings, then rows.

    The default `delimiter` is the one that office programs with Uzbek or Russian settings expect.
    """
    yield BYTE_ORDER_MARK
    yield from csv_pieces(itertools.chain([headings], rows), delimiter)


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows of values as a single CSV text, without a byte order mark.

    The separator is a comma, and formulas in texts are escaped, as in `csv_pieces`.
    """
    return "".join(csv_pieces(rows))


def _cell_value(value: object) -> object:
    """Return a number or None unchanged, and any other value as text that is no formula."""
    return value if isinstance(value, int | float | Decimal | None) else escape_formulas(str(value))
