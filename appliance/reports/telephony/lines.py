"""A period's calls grouped by topic, type, region, operator, trunk … or by an added field."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from peewee import fn

from appliance.casework import catalogs, forms
from appliance.core import phone_numbers
from appliance.core.i18n import locale_translations, localized_name
from appliance.models import Call, CatalogItem, Region
from appliance.people import accounts
from appliance.reports import call_filters, counting
from appliance.reports.call_filters import MISSING_VALUE, CallFilter, sql_conditions
from appliance.reports.counting import CallTally
from appliance.reports.shares import percentage_shares
from appliance.reports.telephony.labels import MISSING_VALUES, NOT_GIVEN


@dataclass(frozen=True)
class DimensionLine:
    """One group of the calls; `key` is the value of the filter condition that selects it."""

    key: str
    name: str
    tally: CallTally
    share: Decimal | None = None  # in per cent of the incoming calls


def count_lines(
    call_filter: CallFilter, service_level_seconds: float, dimension: str, locale: str
) -> tuple[DimensionLine, ...]:
    """Count a filter grouped by call_filters.key_expression(); the shares add up to 100.0."""
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
    """Build the lines from counts grouped by call_filters.key_expression().

    Keys of a list are in the list's order, the others are sorted by number of calls; the calls
    without a value come last.
    """
    name_of_key = dimension_names(dimension, locale)
    listed_keys = (
        [key for key in name_of_key if key in tally_of_key] if _is_listed(dimension) else []
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
            _missing_value_name(dimension, locale)
            if key is None
            else name_of_key.get(key, phone_numbers.grouped_number(key)),
            tally_of_key[key],
            share,
        )
        for key, share in zip(keys, key_shares, strict=True)
    )


# dimension → the catalog of its values
_CATALOG_OF_DIMENSION = {
    "topic": "direction",
    "call_type": "call_type",
    "call_direction": "call_direction",
}
_LISTED_DIMENSIONS = (*_CATALOG_OF_DIMENSION, "region")


def _is_listed(dimension: str) -> bool:
    return dimension in _LISTED_DIMENSIONS or dimension not in call_filters.KEY_EXPRESSIONS


def added_field_names(locale: str) -> dict[str, str]:
    """Return key → name of every added field that is counted."""
    return {
        call_filters.added_field_key(form, field.name): f"№{form}: {field.localized_label(locale)}"
        for form, field in forms.counted_fields()
    }


def reported_field_keys(call_filter: CallFilter) -> tuple[str, ...]:
    """Return the keys of the added fields that a report includes.

    These are the fields of the forms in force, and former fields for which the calls have values.
    """
    unfiltered = call_filter.with_conditions(**dict.fromkeys(call_filter.conditions))
    return tuple(
        call_filters.added_field_key(form, field.name)
        for form, field in forms.counted_fields()
        if forms.definition_in_force(form).find_field(field.name)
        or _has_values(unfiltered, form, field.name)
    )


def _has_values(call_filter: CallFilter, form: str, field: str) -> bool:
    has_value = fn.EXISTS(call_filters.added_field_query(form, field))
    return Call.select().where(*sql_conditions(call_filter), has_value).exists()


def dimension_names(dimension: str, locale: str) -> Mapping[str, str]:
    """Return key → name of a dimension, in the list's order."""
    gettext = locale_translations(locale).gettext
    if dimension in _CATALOG_OF_DIMENSION:
        items = CatalogItem.select().where(CatalogItem.catalog == _CATALOG_OF_DIMENSION[dimension])
        item_names = {
            item.code: localized_name(item, locale) for item in items.order_by(CatalogItem.position)
        }
        return item_names | {catalogs.UNLISTED: gettext(catalogs.NOT_LISTED)}
    if dimension == "region":
        return {
            region.soato: localized_name(region, locale)
            for region in Region.select().order_by(Region.position)
        }
    if dimension == "operator":
        return accounts.display_names(locale)
    if dimension == "language":
        return {code: gettext(name) for code, name in accounts.CALL_LANGUAGES.items()}
    if dimension in call_filters.KEY_EXPRESSIONS:
        return {}
    added_fields = (
        (call_filters.added_field_key(form, field.name), form, field)
        for form, field in forms.counted_fields()
    )
    return next(
        (
            forms.counted_value_labels(form, field, locale)
            for key, form, field in added_fields
            if key == dimension
        ),
        {},
    )


def _missing_value_name(dimension: str, locale: str) -> str:
    return locale_translations(locale).gettext(MISSING_VALUES.get(dimension, NOT_GIVEN))
