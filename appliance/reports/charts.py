"""Bar charts for paper, laid out here and drawn as SVG by templates/bars.svg.

Sizes are units of the chart's own 520 × 150 grid, which the page stretches to its text's width;
BROAD is the width of one that has a whole screen's.
"""

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, LEFT, BASE, TOP = 520.0, 34.0, 130.0, 22.0
BROAD = 1300.0
_FILLED = 0.72  # of a bar's place; the rest is distance


@dataclass(frozen=True)
class Bar:
    """One bar with the value over it and the label under it."""

    x: float
    y: float
    width: float
    height: float
    value: str
    label: str
    dark: bool

    @property
    def middle(self) -> float:
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Chart:
    """A laid-out chart; `border` is a dashed line's x."""

    title: str
    bars: tuple[Bar, ...]
    legend: tuple[tuple[bool, str], ...] = ()
    border: float | None = None
    note: str = ""
    width: float = WIDTH

    @property
    def spoken(self) -> str:
        """What a screen reader says in its place."""
        texts = (f"{bar.label}: {bar.value}" for bar in self.bars if bar.label)
        return f"{self.title}: {'; '.join(texts)}"


def bars(
    values: Sequence[float],
    texts: Sequence[str],
    labels: Sequence[str],
    dark: Sequence[bool],
    highest: float = 0.0,
    across: float = WIDTH,
) -> tuple[Bar, ...]:
    """Lay out bars side by side; the highest value, or `highest`, reaches the top.

    `across`: the chart's width.
    """
    place = (across - LEFT) / len(values)
    width = place * _FILLED
    highest = max([*values, highest]) or 1.0
    return tuple(
        Bar(
            round(LEFT + n * place + (place - width) / 2, 1),
            round(BASE - value / highest * (BASE - TOP), 1),
            round(width, 1),
            round(value / highest * (BASE - TOP), 1),
            text,
            label,
            is_dark,
        )
        for n, (value, text, label, is_dark) in enumerate(
            zip(values, texts, labels, dark, strict=True)
        )
    )


def border_before(bar: int, of: int) -> float:
    """The x of the edge before a bar, counted from 0."""
    return round(LEFT + bar * (WIDTH - LEFT) / of, 1)
