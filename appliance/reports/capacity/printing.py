"""The forecast as tables of plain values, for the monthly report's annex."""

from decimal import Decimal

from appliance.core.i18n import N_, locale_translations
from appliance.reports import charts, formatting, report_texts
from appliance.reports.capacity.forecast import ON_DEMAND_CALLS_PER_DAY, TRUNK_CHANNELS, Capacity
from appliance.reports.charts import Chart
from appliance.reports.plain_tables import PlainTable
from appliance.reports.xlsx import Seconds

HALF_HOUR_HEADS = (
    N_("Half-hour"),
    N_("Calls"),
    N_("Average handling time"),
    N_("Load, erlangs"),
    N_("Operators for the answer speed"),
    N_("Operators for the service level"),
    N_("On shift"),
    N_("Operators at 1,250 calls per day"),
)


def capacity_tables(forecast: Capacity, locale: str) -> tuple[PlainTable, PlainTable]:
    """Return two tables: of the forecast's figures, and of the half-hours of its weekday.

    Their texts are in the language of `locale`.
    """
    gettext = locale_translations(locale).gettext
    weekday = report_texts.load_texts(locale).weekdays[forecast.weekday - 1]
    rows = [
        (
            f"{half_hour.begins:%H:%M}",
            _one_decimal(half_hour.calls),
            Seconds(half_hour.handling_seconds),
            _one_decimal(half_hour.need.load),
            half_hour.need.for_speed,
            half_hour.need.for_level,
            _one_decimal(half_hour.on_shift),
            half_hour.on_demand.operators,
        )
        for half_hour in forecast.half_hours
    ]
    figure_rows = [(gettext(name), value) for name, value in _forecast_figures(forecast)]
    return (
        PlainTable(
            "capacity",
            gettext(N_("Operators and channels needed")),
            (gettext(N_("Figure")), gettext(N_("Value"))),
            tuple(figure_rows),
        ),
        PlainTable(
            "half_hours",
            f"{gettext(N_('Operators needed by half-hour'))}: {weekday}",
            tuple(gettext(head) for head in HALF_HOUR_HEADS),
            tuple(rows),
        ),
    )


def operators_chart(forecast: Capacity, locale: str, width: float = charts.CHART_WIDTH) -> Chart:
    """Return the chart of operators needed in each half-hour of the forecast's weekday.

    A bar is light if fewer operators were present.
    """
    needed = [half_hour.need.operators for half_hour in forecast.half_hours]
    return Chart(
        title=locale_translations(locale).gettext(N_("Operators needed by half-hour")),
        bars=charts.lay_out_bars(
            needed,
            ["" if index % 2 else str(number) for index, number in enumerate(needed)],
            [
                "" if index % 2 else f"{half_hour.begins:%H}"
                for index, half_hour in enumerate(forecast.half_hours)
            ],
            [not half_hour.is_understaffed for half_hour in forecast.half_hours],
            chart_width=width,
        ),
        width=width,
        legend=(
            (
                False,
                locale_translations(locale).gettext(N_("light: fewer operators were on shift")),
            ),
        ),
    )


def _forecast_figures(forecast: Capacity) -> list[tuple[str, str | int | Decimal | Seconds]]:
    """Return (name, value) of the figures; the name is a message id."""
    patience = formatting.NO_VALUE if forecast.patience is None else Seconds(forecast.patience)
    return [
        (N_("Calls of the busiest weekday"), _one_decimal(max(forecast.calls_by_weekday.values()))),
        (N_("Average handling time"), Seconds(forecast.handling_seconds)),
        (N_("Waiting time before hanging up"), patience),
        (N_("Maximum number of operators needed"), forecast.peak_operators),
        (N_("Operator hours per day"), _one_decimal(forecast.operator_hours)),
        (N_("Channels needed"), forecast.channels),
        (N_("Maximum number of calls at once"), forecast.peak_calls),
        (N_("Channels of the trunk"), TRUNK_CHANNELS),
        (N_("Calls per day, as required"), ON_DEMAND_CALLS_PER_DAY),
        (N_("Maximum number of operators needed, as required"), forecast.on_demand_operators),
        (N_("Operator hours per day, as required"), _one_decimal(forecast.on_demand_hours)),
        (N_("Channels needed, as required"), forecast.channels_on_demand),
    ]


def _one_decimal(value: float) -> Decimal:
    """Return a number for a cell, rounded to one decimal."""
    return Decimal(f"{value:.1f}")
