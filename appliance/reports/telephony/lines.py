"""A period's calls parted by one of call_filters.KEYS: topic, type, region, operator, trunk …"""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from appliance.core import phone_numbers
from appliance.core.i18n import named, translations
from appliance.models import CatalogItem, Region
from appliance.people import accounts
from appliance.reports import call_filters, counting
from appliance.reports.call_filters import NONE, CallFilter
from appliance.reports.counting import Counted
from appliance.reports.shares import shares
from appliance.reports.telephony.words import LANGUAGES, WITHOUT


@dataclass(frozen=True)
class Line:
    """One part of the calls; `key` is what a filter is asked for."""

    key: str
    name: str
    tally: Counted
    share: Decimal | None = None  # of the incoming calls


def lines(call_filter: CallFilter, level: float, dimension: str, locale: str) -> tuple[Line, ...]:
    """A filter parted by one of call_filters.KEYS; the shares add up to 100.0.

    What is chosen from a list stands in its order, the rest by how many calls; the part that has
    none stands last.
    """
    found = counting.by(call_filter, level, call_filters.KEYS[dimension]())
    known = names(dimension, locale)
    listed = [key for key in known if key in found] if dimension in _LISTED else []
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


def names(dimension: str, locale: str) -> Mapping[str, str]:
    """Key → name, in the list's order."""
    gettext = translations(locale).gettext
    if dimension in _CATALOGS:
        items = CatalogItem.select().where(CatalogItem.catalog == _CATALOGS[dimension])
        return {i.code: named(i, locale) for i in items.order_by(CatalogItem.position)}
    if dimension == "region":
        return {r.soato: named(r, locale) for r in Region.select().order_by(Region.position)}
    if dimension == "operator":
        return accounts.names(locale)
    if dimension == "language":
        return {code: gettext(name) for code, name in LANGUAGES.items()}
    return {}


def _without(dimension: str, locale: str) -> str:
    return translations(locale).gettext(WITHOUT[dimension])
