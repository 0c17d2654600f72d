"""A period's calls parted by topic, type, region, operator, trunk … or by an added field."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from peewee import fn

from appliance.casework import catalogs, forms
from appliance.core import phone_numbers
from appliance.core.i18n import named, translations
from appliance.models import Call, CatalogItem, Region
from appliance.people import accounts
from appliance.reports import call_filters, counting
from appliance.reports.call_filters import NONE, CallFilter, conditions_of
from appliance.reports.counting import Counted
from appliance.reports.shares import shares
from appliance.reports.telephony.words import NOT_GIVEN, WITHOUT


@dataclass(frozen=True)
class Line:
    """One part of the calls; `key` is what a filter is asked for."""

    key: str
    name: str
    tally: Counted
    share: Decimal | None = None  # of the incoming calls


def lines(call_filter: CallFilter, level: float, dimension: str, locale: str) -> tuple[Line, ...]:
    """A filter parted by call_filters.key(); the shares add up to 100.0."""
    return of(counting.by(call_filter, level, call_filters.key(dimension)), dimension, locale)


def of(found: Mapping[str | None, Counted], dimension: str, locale: str) -> tuple[Line, ...]:
    """What was counted by call_filters.key(), as lines.

    What is chosen from a list stands in its order, the rest by how many calls; the part that has
    none stands last.
    """
    known = names(dimension, locale)
    listed = [key for key in known if key in found] if _is_listed(dimension) else []
    others = sorted(
        (key for key in found if key is not None and key not in listed),
        key=lambda key: (-found[key].incoming, key),
    )
    without = [None] if None in found else []
    keys: list[str | None] = [*listed, *others, *without]
    part = shares([found[key].incoming for key in keys])
    return tuple(
        Line(
            NONE if key is None else key,
            _without(dimension, locale)
            if key is None
            else known.get(key, phone_numbers.grouped(key)),
            found[key],
            share,
        )
        for key, share in zip(keys, part, strict=True)
    )


# dimension → the list that it is chosen from
_CATALOGS = {"topic": "direction", "call_type": "call_type", "call_direction": "call_direction"}
_LISTED = (*_CATALOGS, "region")


def _is_listed(dimension: str) -> bool:
    return dimension in _LISTED or dimension not in call_filters.KEYS


def own_fields(locale: str) -> dict[str, str]:
    """Key → name of every added field that is counted."""
    return {
        call_filters.own_key(form, field.name): f"№{form}: {field.called(locale)}"
        for form, field in forms.counted()
    }


def shown_of(call_filter: CallFilter) -> tuple[str, ...]:
    """The keys of the added fields that a report tells of.

    They are those of the forms in force, and what was left out since and the calls still have.
    """
    whole = call_filter.with_(**dict.fromkeys(call_filter.conditions))
    return tuple(
        call_filters.own_key(form, field.name)
        for form, field in forms.counted()
        if forms.in_force(form).field(field.name) or _is_held(whole, form, field.name)
    )


def _is_held(call_filter: CallFilter, form: str, field: str) -> bool:
    held = fn.EXISTS(call_filters.own_field(form, field))
    return Call.select().where(*conditions_of(call_filter), held).exists()


def names(dimension: str, locale: str) -> Mapping[str, str]:
    """Key → name, in the list's order."""
    gettext = translations(locale).gettext
    if dimension in _CATALOGS:
        items = CatalogItem.select().where(CatalogItem.catalog == _CATALOGS[dimension])
        known = {i.code: named(i, locale) for i in items.order_by(CatalogItem.position)}
        return known | {catalogs.UNLISTED: gettext(catalogs.NOT_LISTED)}
    if dimension == "region":
        return {r.soato: named(r, locale) for r in Region.select().order_by(Region.position)}
    if dimension == "operator":
        return accounts.names(locale)
    if dimension == "language":
        return {code: gettext(name) for code, name in accounts.CALL_LANGUAGES.items()}
    if dimension in call_filters.KEYS:
        return {}
    own = ((call_filters.own_key(form, f.name), form, f) for form, f in forms.counted())
    return next((forms.answers(form, f, locale) for key, form, f in own if key == dimension), {})


def _without(dimension: str, locale: str) -> str:
    return translations(locale).gettext(WITHOUT.get(dimension, NOT_GIVEN))
