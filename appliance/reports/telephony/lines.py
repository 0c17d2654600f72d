"""Tallies of calls by dimension: by topic, type, region, operator, trunk … or by an added field.

A dimension is a property of calls; an added field is one that the site added to the appeal form or
the call form.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from peewee import fn

from appliance.casework import forms
from appliance.core import phone_numbers
from appliance.models import Call
from appliance.reports import call_filters, counting
from appliance.reports.call_filters import MISSING_VALUE, CallFilter, sql_conditions
from appliance.reports.counting import CallTally
from appliance.reports.shares import percentage_shares


@dataclass(frozen=True)
class DimensionLine:
    """The calls with one value of a dimension.

    `key` is the value with which the filter of the dimension selects these calls.
    """

    key: str
    name: str  # of the value, in the report's language
    tally: CallTally
    share: Decimal | None = None  # in per cent of the incoming calls, if there were any


def count_lines(
    call_filter: CallFilter, service_level_seconds: float, dimension: str, locale: str
) -> tuple[DimensionLine, ...]:
    """Count the calls that pass a filter by the dimension of this name, such as "region".

    `service_level_seconds` is the threshold of the service level, `locale` the language of the
    names. The shares add up to 100.0.
    """
    return build_lines(
        counting.count_by(
            call_filter, service_level_seconds, call_filters.key_expression(dimension)
        ),
        dimension,
        locale,
    )


def build_lines(
    tally_of_key: Mapping[str | None, CallTally], dimension: str, locale: str
) -> tuple[DimensionLine, ...]:
    """Build the lines of the dimension of this name from tallies by its values.

    Values on the dimension's list come first, in the order of the list; then other values, those
    with most calls first; then the calls without a value (key None).
    """
    definition = call_filters.find_dimension(dimension)
    name_of_key = definition.value_names(locale)
    listed_keys = (
        [key for key in name_of_key if key in tally_of_key] if definition.is_listed else []
    )
    other_keys = sorted(
        (key for key in tally_of_key if key is not None and key not in listed_keys),
        key=lambda key: (-tally_of_key[key].incoming, key),
    )
    missing_keys = [None] if None in tally_of_key else []
    keys: list[str | None] = [*listed_keys, *other_keys, *missing_keys]
    key_shares = percentage_shares([tally_of_key[key].incoming for key in keys])
    return tuple(
        DimensionLine(
            MISSING_VALUE if key is None else key,
            definition.missing_name(locale)
            if key is None
            # a value without a name is a phone number, or shown unchanged
            else name_of_key.get(key, phone_numbers.grouped_number(key)),
            tally_of_key[key],
            share,
        )
        for key, share in zip(keys, key_shares, strict=True)
    )


def added_field_names(locale: str) -> dict[str, str]:
    """Return the names of the fields that the site added to forms, by key, such as "2.lang".

    Only fields whose values are counted in reports are included.
    """
    return {
        name: definition.localized_label(locale)
        for name, definition in call_filters.added_filters().items()
    }


def reported_field_keys(call_filter: CallFilter) -> tuple[str, ...]:
    """Return the keys of the added fields that a report includes.

    These are the fields of the current forms, and former fields for which the period's calls have
    values.
    """
    unfiltered = call_filter.without_conditions()
    return tuple(
        call_filters.added_field_key(form, field.name)
        for form, field in forms.counted_fields()
        if forms.definition_in_force(form).find_field(field.name)
        or _has_values(unfiltered, form, field.name)
    )


def _has_values(call_filter: CallFilter, form: str, field: str) -> bool:
    """Return True if a call that passes the filter has a value of this added field."""
    has_value = fn.EXISTS(call_filters.added_field_query(form, field))
    return bool(Call.select().where(*sql_conditions(call_filter), has_value).exists())
