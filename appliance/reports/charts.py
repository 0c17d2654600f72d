"""Bar charts for paper, laid out here and drawn as SVG by templates/bars.svg.

Sizes are in units of the chart's own grid, 520 × 150 units, which the page stretches to the width
of its text. WIDE_CHART_WIDTH is the width of the grid for a chart as wide as a screen.
"""

from collections.abc import Sequence
from dataclasses import dataclass

CHART_WIDTH, LEFT_MARGIN, BASELINE_Y, TOP_Y = 520.0, 34.0, 130.0, 22.0
WIDE_CHART_WIDTH = 1300.0
_BAR_WIDTH_RATIO = 0.72  # part of a bar's place; the rest is the gap to the next bar


@dataclass(frozen=True)
class Bar:
    """One bar of a chart, with sizes in units of its grid; x and y are its upper left corner."""

    x: float
    y: float
    width: float
    height: float
    value: str  # the text above it; "" for no text
    label: str  # the text below it; "" for no text
    dark: bool  # dark, not light

    @property
    def center_x(self) -> float:
        """The x coordinate of the bar's centre."""
        return round(self.x + self.width / 2, 1)


@dataclass(frozen=True)
class Chart:
    """A laid-out chart.

    `legend` lists (True for the dark or False for the light bars, their meaning); `border` is the x
    coordinate of a dashed vertical line, if any, and `note` the text next to it, "" for no text.
    """

    title: str
    bars: tuple[Bar, ...]
    legend: tuple[tuple[bool, str], ...] = ()
    border: float | None = None
    note: str = ""
    width: float = CHART_WIDTH

    @property
    def screen_reader_text(self) -> str:
        """The text that a screen reader reads instead of the chart."""
        texts = (f"{bar.label}: {bar.value}" for bar in self.bars if bar.label)
        return f"{self.title}: {'; '.join(texts)}"


def lay_out_bars(
    values: Sequence[float],
    texts: Sequence[str],
    labels: Sequence[str],
    dark: Sequence[bool],
    highest: float = 0.0,
    chart_width: float = CHART_WIDTH,
) -> tuple[Bar, ...]:
    """Return bars side by side, one for each of `values` (at least one).

    `texts` are shown above the bars, `labels` below them; `dark` says which bars are dark. A bar of
    the highest value, or of `highest` if that is higher, reaches the top.
    """
    slot_width = (chart_width - LEFT_MARGIN) / len(values)
    width = slot_width * _BAR_WIDTH_RATIO
    highest = max([*values, highest]) or 1.0
    return tuple(
        Bar(
            round(LEFT_MARGIN + n * slot_width + (slot_width - width) / 2, 1),
            round(BASELINE_Y - value / highest * (BASELINE_Y - TOP_Y), 1),
            round(width, 1),
            round(value / highest * (BASELINE_Y - TOP_Y), 1),
            text,
            label,
            is_dark,
        )
        for n, (value, text, label, is_dark) in enumerate(
            zip(values, texts, labels, dark, strict=True)
        )
    )


def x_before_bar(bar: int, bar_count: int) -> float:
    """Return the x coordinate between a bar, counted from 0, and the bar to its left.

    It is for a chart of the width CHART_WIDTH with `bar_count` bars.
    """
    return round(LEFT_MARGIN + bar * (CHART_WIDTH - LEFT_MARGIN) / bar_count, 1)
