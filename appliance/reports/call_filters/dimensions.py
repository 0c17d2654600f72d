"""The filters that are also dimensions, by which reports group calls: one declaration each."""

from collections.abc import Callable, Mapping

from peewee import Node

from appliance.casework import catalogs, forms
from appliance.casework.forms import Field
from appliance.core import phone_numbers
from appliance.core.i18n import N_, localized_name
from appliance.models import Call, Region
from appliance.people import accounts
from appliance.reports.call_filters import conditions, wording
from appliance.reports.call_filters.definition import (
    AddedFieldFilter,
    ChoiceContext,
    Dimension,
    FilterDefinition,
)
from appliance.reports.call_filters.expressions import (
    FirstRecordColumn,
    added_field_key,
    added_field_query,
    call_direction_expression,
    call_type_expression,
    dialled_number,
    first_operator,
    region_expression,
    request_kind_expression,
    topic_expression,
)

REQUEST_KINDS = {
    "complaint": N_("Complaints"),
    "proposal": N_("Proposals"),
    "question": N_("Questions"),
    "application": N_("Applications"),
    "other": N_("Other"),
}


def _dimension_filter(
    name: str,
    label: str,
    dimension: Dimension,
    examples: tuple[str, ...],
    choices: Callable[[ChoiceContext], Mapping[str, str]] | None = None,
    form_position: int = 0,
) -> FilterDefinition:
    """Return the filter of a dimension, from which its condition and wording are derived.

    `label` is a message id, `examples` are valid values. `choices` returns the names by value that
    the telephony page's form of filters offers, by default those of all the dimension's values;
    `form_position` is the position in that form, 0 if it does not offer the filter.
    """
    return FilterDefinition(
        name,
        label,
        (*examples, "-"),
        conditions.dimension_condition(dimension),
        wording.dimension_text(dimension),
        dimension,
        choices or (lambda context: dimension.value_names(context.locale)),
        form_position,
    )


def _catalog_dimension(
    catalog: str, expression: Callable[[FirstRecordColumn], Node], missing_label: str
) -> Dimension:
    """Return a dimension whose values are the codes of a catalog, such as "call_type".

    UNLISTED, in place of a typed text that is no code, is a value too. `expression` returns the SQL
    for a call's value; `missing_label`, a message id, is the name of the calls without a value.
    """
    return Dimension(
        expression,
        missing_label,
        lambda locale: catalogs.labels_with_unlisted(catalog, locale),
        is_listed=True,
    )


def _region_names(locale: str) -> dict[str, str]:
    """Return the names of the regions by SOATO code, in the order of the list of regions."""
    regions = Region.select().order_by(Region.position)
    return {region.soato: localized_name(region, locale) for region in regions}


# The order is that of the tabs and tables of the report.
DIMENSION_FILTERS = (
    _dimension_filter(
        "topic",
        N_("Topic"),
        _catalog_dimension("direction", topic_expression, N_("no topic")),
        ("other",),
        form_position=4,
    ),
    _dimension_filter(
        "call_type",
        N_("Type of call"),
        _catalog_dimension("call_type", call_type_expression, N_("type not stated")),
        ("question",),
        form_position=5,
    ),
    _dimension_filter(
        "request_kind",
        N_("Kind of request"),
        Dimension(
            request_kind_expression,
            N_("kind not stated"),
            wording.names_translator(REQUEST_KINDS),
            is_listed=True,
        ),
        ("complaint",),
    ),
    _dimension_filter(
        "call_direction",
        N_("Direction of the call"),
        _catalog_dimension("call_direction", call_direction_expression, N_("unknown")),
        ("incoming",),
    ),
    _dimension_filter(
        "region",
        N_("Region"),
        Dimension(region_expression, N_("no region"), _region_names, is_listed=True),
        ("1726",),
        form_position=6,
    ),
    _dimension_filter(
        "operator",
        N_("Operator"),
        Dimension(
            lambda record_column: first_operator(),
            N_("no conversation with an operator"),
            accounts.display_names,
        ),
        ("nilufar",),
        lambda context: accounts.operator_names(context.locale),
        form_position=7,
    ),
    _dimension_filter(
        "trunk",
        N_("Trunk"),
        Dimension(lambda record_column: Call.trunk, N_("unknown")),
        ("e1",),
        lambda context: {trunk: trunk for trunk in context.trunks},
        form_position=2,
    ),
    _dimension_filter(
        "number",
        N_("Number called"),
        Dimension(lambda record_column: dialled_number(), N_("unknown")),
        ("1282",),
        lambda context: {n: phone_numbers.grouped_number(n) for n in context.numbers},
        form_position=1,
    ),
    _dimension_filter(
        "language",
        N_("Language"),
        Dimension(
            lambda record_column: Call.language,
            N_("not chosen"),
            wording.names_translator(accounts.CALL_LANGUAGES),
        ),
        ("uz",),
        form_position=3,
    ),
)


def added_filters() -> dict[str, FilterDefinition]:
    """Return the filters of the fields that the site added to its forms, by name, such as "2.lang".

    The forms are the appeal form, "1", and the call form, "2".

    Only fields whose values are counted in reports have a filter.
    """
    return {
        added_field_key(form, field.name): _added_filter(form, field)
        for form, field in forms.counted_fields()
    }


def _added_filter(form: str, field: Field) -> FilterDefinition:
    """Return the filter of a field that the site added to a form.

    `form` is the form's number: "1" for the appeal form, "2" for the call form.
    """
    dimension = Dimension(
        lambda record_column: added_field_query(form, field.name),
        N_("not specified"),
        lambda locale: forms.counted_value_labels(form, field, locale),
        is_listed=True,
    )
    return AddedFieldFilter(
        added_field_key(form, field.name),
        "",
        ("-",),
        conditions.dimension_condition(dimension),
        wording.dimension_text(dimension),
        dimension,
        field_label=lambda locale: f"№{form}: {field.localized_label(locale)}",
    )
