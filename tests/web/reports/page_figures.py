"""The figures of a page: what each is called, and where it links to."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from xml.etree.ElementTree import Element

import tinyhtml5

COUNT_PATTERN = re.compile(r"\d[\d\u00a0]*")
NUMBER_PATTERN = re.compile(r"[+−-]?\d[\d\u00a0,:.]*( ?%|\*)?")


@dataclass(frozen=True)
class Figure:
    """A number of a table or a tile; `address` is the link's target, "" without a link."""

    table: str
    name: str  # of its column or tile
    text: str
    address: str
    neighbours: bool  # whether another figure of its row is a link

    @property
    def is_count(self) -> bool:
        """True if the figure is a plain count."""
        return bool(COUNT_PATTERN.fullmatch(self.text))


def extract_figures(page: str) -> Iterator[Figure]:
    """Yield every number but 0 in the tables' cells and the tiles of a page."""
    tree = tinyhtml5.parse(page, namespace_html_elements=False)
    for tile in tree.iterfind(".//div[@class='kpi']"):
        value = tile.find("dd")
        if _is_number(_element_text(value)):
            yield Figure(
                "",
                _element_text(tile.find("dt")),
                _element_text(value),
                _link_address(value),
                False,
            )
    for table in tree.iter("table"):
        yield from _table_figures(table)


def _table_figures(table: Element) -> Iterator[Figure]:
    heads = [_element_text(cell) for cell in _section_rows(table.find("thead"))[-1]]
    caption = _element_text(table.find("caption"))
    for section in ("tbody", "tfoot"):
        for row in _section_rows(table.find(section)):
            has_link = any(_link_address(cell) for cell in row)
            for head, cell in zip(heads, row, strict=True):
                link = cell.find("a")  # a note may follow the link
                text = _element_text(cell if link is None else link)
                if "n" in cell.get("class", "").split() and _is_number(text):
                    yield Figure(caption, head, text, _link_address(cell), has_link)


def _section_rows(section: Element | None) -> list[list[Element]]:
    """Return the rows of a table's section, with a cell in each place that it spans."""
    rows: list[list[Element]] = []
    below: dict[tuple[int, int], Element] = {}
    for y, row in enumerate(section.iter("tr") if section is not None else ()):
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


def _element_text(element: Element | None) -> str:
    return "".join(element.itertext()).strip() if element is not None else ""


def _link_address(element: Element | None) -> str:
    link = element.find(".//a") if element is not None else None
    return link.get("href", "") if link is not None else ""


def _is_number(text: str) -> bool:
    return bool(NUMBER_PATTERN.fullmatch(text)) and bool(re.search("[1-9]", text))
