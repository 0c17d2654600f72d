"""The figures of a page: what each is called, and where it leads."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import tinyhtml5

COUNT = re.compile(r"\d[\d\u00a0]*")
NUMBER = re.compile(r"[+−-]?\d[\d\u00a0,:.]*( ?%|\*)?")


@dataclass(frozen=True)
class Figure:
    """A number of a table or a tile; `address` is where it leads, "" when nowhere."""

    table: str
    name: str  # of its column or tile
    text: str
    address: str
    neighbours: bool  # whether another figure of its row leads somewhere

    @property
    def is_count(self) -> bool:
        return bool(COUNT.fullmatch(self.text))


def figures(page: str) -> Iterator[Figure]:
    """Every number but 0 in the tables' cells and the tiles of a page."""
    tree = tinyhtml5.parse(page, namespace_html_elements=False)
    for tile in tree.iterfind(".//div[@class='kpi']"):
        value = tile.find("dd")
        if _is_number(_text(value)):
            yield Figure("", _text(tile.find("dt")), _text(value), _address(value), False)
    for table in tree.iter("table"):
        yield from _of_table(table)


def _of_table(table: Element) -> Iterator[Figure]:
    heads = [_text(cell) for cell in _grid(table.find("thead"))[-1]]
    caption = _text(table.find("caption"))
    for part in ("tbody", "tfoot"):
        for row in _grid(table.find(part)):
            leads = any(_address(cell) for cell in row)
            for head, cell in zip(heads, row, strict=True):
                link = cell.find("a")  # a note may stand below it
                text = _text(cell if link is None else link)
                if "n" in cell.get("class", "").split() and _is_number(text):
                    yield Figure(caption, head, text, _address(cell), leads)


def _grid(part: Element | None) -> list[list[Element]]:
    """The rows of a part of a table, a cell standing in each place that it spans."""
    rows: list[list[Element]] = []
    below: dict[tuple[int, int], Element] = {}
    for y, row in enumerate(part.iter("tr") if part is not None else ()):
        cells, x = [], 0
        waiting = [cell for cell in row if cell.tag in ("td", "th")]
        while waiting or (y, x) in below:
            if (y, x) in below:
                cells.append(below[y, x])
                x += 1
                continue
            cell = waiting.pop(0)
            for _ in range(int(cell.get("colspan", "1"))):
                below |= {(y + n, x): cell for n in range(1, int(cell.get("rowspan", "1")))}
                cells.append(cell)
                x += 1
        rows.append(cells)
    return rows


def _text(element: Element | None) -> str:
    return "".join(element.itertext()).strip() if element is not None else ""


def _address(element: Element | None) -> str:
    link = element.find(".//a") if element is not None else None
    return link.get("href", "") if link is not None else ""


def _is_number(text: str) -> bool:
    return bool(NUMBER.fullmatch(text)) and bool(re.search("[1-9]", text))
