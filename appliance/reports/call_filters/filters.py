"""All filters of calls, one declaration each, and the SQL conditions of a call filter."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from peewee import Expression, Node, SelectQuery, fn

from appliance.core.clock import WorkingCalendar
from appliance.core.i18n import N_
from appliance.models import Call
from appliance.reports.call_filters import conditions, wording
from appliance.reports.call_filters.call_filter import CallFilter
from appliance.reports.call_filters.definition import (
    ChoiceContext,
    Dimension,
    FilterDefinition,
    Reader,
)
from appliance.reports.call_filters.dimensions import DIMENSION_FILTERS, added_filters
from appliance.reports.call_filters.expressions import (
    FirstRecordColumn,
    dialled_number,
    first_record_column,
    has_appeal,
    has_form,
)
from appliance.reports.call_filters.labels import IN_PROGRESS, KINDS, RESULTS, YES_OR_NO
from appliance.reports.periods import Period
from appliance.reports.sums import ABANDONED, COUNTED, JOINED_QUEUE, SHORT
from appliance.telephony.calls import INBOUND_OUTCOMES, UNCOUNTED_CODES


def _repetition_condition(call_filter: CallFilter, value: str) -> Expression:
    """Return the condition that the caller's number called this often: "2-3", "6-".

    Only calls that meet all other conditions of the filter, except "caller", are counted.
    """
    low, high = conditions.parse_range(value, r"\d+")
    count = fn.COUNT(Call.id)
    having = [count >= low] if low is not None else []
    having += [count <= high] if high is not None else []
    return Call.caller.in_(calls_per_number(call_filter).having(*having).select(Call.caller))


# A new filter is a row here, or in `dimensions` if reports also group the calls by it.
_DEFINITIONS = (
    *DIMENSION_FILTERS,
    FilterDefinition(
        "outcome",
        N_("Outcome"),
        ("answered", "rejected", "missed", "left", "open"),
        conditions.outcome_condition,
        wording.labelled_text(
            {outcome.code: outcome.name for outcome in INBOUND_OUTCOMES}
            | {"open": N_("Ongoing"), "missed": N_("Missed")}
            | {"left": N_("Left the queue otherwise")}
        ),
    ),
    FilterDefinition(
        "short",
        N_("Hung up immediately"),
        ("1", "0"),
        conditions.flag_condition(lambda: (ABANDONED & SHORT).sql),
        wording.labelled_text(YES_OR_NO),
    ),
    FilterDefinition(
        "joined",
        N_("Joined a queue"),
        ("1", "0"),
        conditions.flag_condition(lambda: JOINED_QUEUE.sql),
        wording.labelled_text(YES_OR_NO),
    ),
    FilterDefinition(
        "wait",
        N_("Seconds of waiting"),
        ("5-10", "-5", "90-"),
        conditions.wait_condition,
        wording.range_text,
    ),
    FilterDefinition("hour", N_("Hour"), ("10",), conditions.hour_condition, wording.plain_text),
    FilterDefinition(
        "weekday", N_("Weekday"), ("1",), conditions.weekday_condition, wording.weekday_text
    ),
    FilterDefinition(
        "work",
        N_("Working hours"),
        ("inside", "outside"),
        conditions.working_hours_condition,
        wording.labelled_text(
            {"inside": N_("during working hours"), "outside": N_("not during working hours")}
        ),
    ),
    FilterDefinition(
        "time",
        N_("Time of the day"),
        ("20:00-08:00", "!08:00-12:00,13:00-20:00"),
        conditions.time_condition,
        wording.time_text,
    ),
    FilterDefinition(
        "days",
        N_("Days"),
        ("01.10.2026-02.10.2026,04.10.2026-05.10.2026",),
        conditions.days_condition,
        wording.days_text,
    ),
    FilterDefinition(
        "direction",
        N_("Direction of the call"),
        ("outbound", "both"),
        conditions.direction_condition,
        wording.labelled_text({"outbound": N_("outgoing"), "both": N_("incoming and outgoing")}),
        selects_outgoing=True,
    ),
    FilterDefinition(
        "all",
        N_("Include rejected requests and test calls"),
        ("1",),
        conditions.all_condition,
        wording.labelled_text(YES_OR_NO),
        includes_uncounted=True,
    ),
    FilterDefinition(
        "rated",
        N_("Rating"),
        ("5", "any", "eligible", "responded"),
        conditions.rating_condition,
        wording.labelled_text(
            {
                "any": N_("was given"),
                "eligible": N_("could have been given"),
                "responded": N_("requested and given"),
            }
        ),
    ),
    FilterDefinition(
        "appeal",
        N_("With an appeal"),
        ("1", "0"),
        conditions.flag_condition(has_appeal),
        wording.labelled_text(YES_OR_NO),
    ),
    FilterDefinition(
        "form",
        N_("With form №2"),
        ("1", "0"),
        conditions.flag_condition(has_form),
        wording.labelled_text(YES_OR_NO),
    ),
    FilterDefinition(
        "transfer",
        N_("Transferred calls"),
        ("1", "0", "blind", "attended:answered", "automatic:open", "blind:returned"),
        conditions.transfer_condition,
        wording.labelled_text(
            YES_OR_NO | KINDS | RESULTS | IN_PROGRESS | {"returned": N_("Returned to us")}
        ),
    ),
    FilterDefinition(
        "times",
        N_("Calls from the same number"),
        ("2-3", "6-"),
        _repetition_condition,
        wording.range_text,
    ),
    FilterDefinition(
        "caller",
        N_("Caller"),
        ("+998901234567", "-"),
        conditions.caller_condition,
        wording.caller_text,
        is_personal=True,
    ),
    FilterDefinition(
        "task",
        N_("Missed caller"),
        ("1",),
        conditions.callback_task_condition,
        wording.task_text,
        is_personal=True,
    ),
    FilterDefinition(
        "queue",
        N_("Queue"),
        ("uz", "uz:answered", "uz:open"),
        conditions.queue_condition,
        wording.labelled_text(RESULTS | IN_PROGRESS),
    ),
    FilterDefinition(
        "spoke",
        N_("Call partner"),
        ("nilufar",),
        conditions.talked_condition,
        wording.operator_name,
    ),
    FilterDefinition(
        "placed",
        N_("Called by"),
        ("nilufar",),
        conditions.placed_by_condition,
        wording.operator_name,
    ),
    FilterDefinition(
        "unanswered",
        N_("Unanswered ring"),
        ("nilufar",),
        conditions.missed_ring_condition,
        wording.operator_name,
    ),
)
FILTERS = {definition.name: definition for definition in _DEFINITIONS}
DIMENSION_NAMES = tuple(definition.name for definition in DIMENSION_FILTERS)


@dataclass(frozen=True)
class OfferedFilter:
    """A filter that the form of the telephony page offers, in one language."""

    name: str  # a key of FILTERS
    label: str
    missing_label: str  # the name of the calls without a value; "" if they cannot be chosen
    choices: Mapping[str, str]  # names by value


def find_filter(name: str) -> FilterDefinition:
    """Return the filter of this name, including the filters of added fields.

    Raises ValueError if there is no such filter.
    """
    definition = FILTERS.get(name) or added_filters().get(name)
    if definition is None:
        raise ValueError(name)
    return definition


def find_dimension(name: str) -> Dimension:
    """Return the dimension of this name. Raises ValueError if there is no such dimension."""
    dimension = find_filter(name).dimension
    if dimension is None:
        raise ValueError(name)
    return dimension


def key_expression(name: str, record_column: FirstRecordColumn = first_record_column) -> Node:
    """Return the SQL for a call's value in the dimension `name`.

    `record_column` returns the SQL for a column of the call's first appeal or call form, by default
    as a subquery. Raises ValueError if there is no such dimension.
    """
    return find_dimension(name).expression(record_column)


def dimension_names(name: str, locale: str) -> Mapping[str, str]:
    """Return the names of the values of the dimension `name`, by value, in the order of the list.

    Raises ValueError if there is no such dimension.
    """
    return find_dimension(name).value_names(locale)


def sql_conditions(call_filter: CallFilter) -> tuple[Expression, ...]:
    """Return the filter as SQL conditions on Call.

    Outgoing, rejected and test calls are excluded unless a condition of the filter selects them.
    Raises ValueError for an unknown condition or an invalid value. The period comes first, because
    there is an index for it.
    """
    values, period = call_filter.conditions, call_filter.period
    definitions = [find_filter(name) for name in values]
    selects_outgoing = any(definition.selects_outgoing for definition in definitions)
    includes_all = any(definition.includes_uncounted for definition in definitions)
    return (
        Call.arrived_at >= period.begin,
        Call.arrived_at < period.end,
        *([] if selects_outgoing else [Call.direction == "inbound"]),
        *([] if includes_all else [~Call.synthetic]),
        *([] if includes_all or values.get("outcome") in UNCOUNTED_CODES else [COUNTED.sql]),
        *(
            definition.condition(call_filter, value)
            for definition, value in zip(definitions, values.values(), strict=True)
        ),
    )


def calls_per_number(call_filter: CallFilter) -> SelectQuery:
    """Return the query of the number of calls of each caller (columns `caller`, `times`).

    The filter's conditions "times" and "caller" are ignored, and so are hidden numbers.
    """
    unrestricted = call_filter.with_conditions(times=None, caller=None)
    return (
        Call.select(Call.caller, fn.COUNT(Call.id).alias("times"))
        .where(*sql_conditions(unrestricted), Call.caller.is_null(False))
        .group_by(Call.caller)
    )


def filter_from_query(
    period: Period, args: Iterable[tuple[str, str]], calendar: WorkingCalendar | None = None
) -> CallFilter:
    """Return the filter that the query parameters of a URL describe.

    Parameters with an unknown name, an empty value or an invalid value are ignored. Without
    `calendar` the condition "work" is ignored as well.
    """
    values = {name: value for name, value in args if value}
    call_filter = CallFilter(period, values, calendar)
    return call_filter.with_conditions(
        **{name: None for name in values if not _is_valid_condition(call_filter, name)}
    )


def _is_valid_condition(call_filter: CallFilter, name: str) -> bool:
    """Return True if there is a filter of this name, and the condition's value is valid for it."""
    try:
        find_filter(name).condition(call_filter, call_filter.conditions[name])
    except ValueError:
        return False
    return True


def offered_filters(period: Period, locale: str) -> list[OfferedFilter]:
    """Return the filters that the form of the telephony page offers, in the form's order.

    `period` decides only which trunks and dialled numbers can be chosen: those of its calls. The
    labels and choices are in the language of `locale`.
    """
    columns = Call.trunk, dialled_number()
    rows = list(
        Call.select(*columns).where(*sql_conditions(CallFilter(period))).distinct().tuples()
    )
    trunks, numbers = (sorted({row[n] for row in rows if row[n]}) for n in (0, 1))
    context = ChoiceContext(locale, trunks, numbers)
    offered = [d for d in FILTERS.values() if d.form_position]
    return [
        OfferedFilter(
            definition.name,
            definition.localized_label(locale),
            definition.dimension.missing_name(locale) if definition.dimension else "",
            definition.choices(context) if definition.choices else {},
        )
        for definition in sorted(offered, key=lambda definition: definition.form_position)
    ]


def describe_conditions(call_filter: CallFilter, reader: Reader) -> list[tuple[str, str]]:
    """Return (label, value) of each condition of the filter, as text in the reader's language."""
    definitions = [(find_filter(name), value) for name, value in call_filter.conditions.items()]
    return [
        (definition.localized_label(reader.locale), definition.value_text(value, reader))
        for definition, value in definitions
    ]
