"""The forecast as tables of plain values, for the monthly report's annex."""

from decimal import Decimal

from appliance.core.i18n import N_, translations
from appliance.reports import charts, figures, words
from appliance.reports.capacity.forecast import CHANNELS, ON_DEMAND, Capacity
from appliance.reports.charts import Chart
from appliance.reports.plain import Sheet
from appliance.reports.xlsx import Seconds

HEADS = (
    N_("Half-hour"),
    N_("Calls"),
    N_("Handling, average"),
    N_("Load, erlangs"),
    N_("Operators for the answer speed"),
    N_("Operators for the service level"),
    N_("On shift"),
    N_("Operators at 1,250 calls a day"),
)


def tables(made: Capacity, locale: str) -> tuple[Sheet, Sheet]:
    """(the figures, the half-hours of the weekday), titles and heads in a language.

    Each is a Sheet: code, title, heads, rows of values as a workbook takes them.
    """
    gettext = translations(locale).gettext
    weekday = words.load(locale).weekdays[made.weekday - 1]
    rows = [
        (
            f"{half.begins:%H:%M}",
            _tenth(half.calls),
            Seconds(half.length),
            _tenth(half.need.load),
            half.need.for_speed,
            half.need.for_level,
            _tenth(half.on_shift),
            half.on_demand.operators,
        )
        for half in made.half_hours
    ]
    figures_ = [(gettext(name), value) for name, value in _figures(made)]
    return (
        Sheet(
            "capacity",
            gettext(N_("Operators and channels needed")),
            (gettext(N_("Figure")), gettext(N_("Value"))),
            tuple(figures_),
        ),
        Sheet(
            "half_hours",
            f"{gettext(N_('Operators needed by half-hour'))}: {weekday}",
            tuple(gettext(head) for head in HEADS),
            tuple(rows),
        ),
    )


def chart(made: Capacity, locale: str, width: float = charts.WIDTH) -> Chart:
    """Operators needed by half-hour; light where fewer were there."""
    needed = [half.need.operators for half in made.half_hours]
    return Chart(
        title=translations(locale).gettext(N_("Operators needed by half-hour")),
        bars=charts.bars(
            needed,
            ["" if n % 2 else str(number) for n, number in enumerate(needed)],
            ["" if n % 2 else f"{half.begins:%H}" for n, half in enumerate(made.half_hours)],
            [not half.short for half in made.half_hours],
            across=width,
        ),
        width=width,
        legend=((False, translations(locale).gettext(N_("light: fewer were on shift"))),),
    )


def _figures(made: Capacity) -> list[tuple[str, str | int | Decimal | Seconds]]:
    patience = figures.NONE if made.patience is None else Seconds(made.patience)
    return [
        (N_("Calls of the busiest weekday"), _tenth(max(made.weekdays.values()))),
        (N_("Handling, average"), Seconds(made.length)),
        (N_("Patience of callers"), patience),
        (N_("Most operators needed"), made.peak_operators),
        (N_("Operator hours a day"), _tenth(made.operator_hours)),
        (N_("Channels needed"), made.channels),
        (N_("Calls at once, the most"), made.peak),
        (N_("Channels of the trunk"), CHANNELS),
        (N_("Calls a day on demand"), ON_DEMAND),
        (N_("Most operators needed on demand"), made.on_demand_operators),
        (N_("Operator hours a day on demand"), _tenth(made.on_demand_hours)),
        (N_("Channels needed on demand"), made.channels_on_demand),
    ]


def _tenth(value: float) -> Decimal:
    return Decimal(f"{value:.1f}")
