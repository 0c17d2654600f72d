"""Options of the lists and places for a form field, by text typed in either script."""

import datetime as dt
from typing import Any

from appliance.casework.catalogs.lists import find_catalog, find_items, value_label
from appliance.casework.catalogs.nearness import is_close_match
from appliance.casework.catalogs.places import (
    find_place,
    match_districts,
    match_mahallas,
    match_regions,
)
from appliance.core import search
from appliance.core.i18n import fold_text, localized_name
from appliance.models import CatalogItem, District, Mahalla, Region

type Option = dict[str, Any]  # code, name, match, near, parent, fills: see matching_options()


def matching_options(
    name: str,
    typed: str,
    locale: str,
    day: dt.date,
    region: str | None = None,
    district: str | None = None,
) -> list[Option]:
    """Return the options of a list, in use on a day, that match the typed text, best first.

    `name` is "region", "district", "mahalla" or the code of a list. Districts and mahallas are
    limited to those in the `region` or `district` with this code, if given. In each option, `match`
    is the (start, end) of the typed part of its name, `near` is True if its names contain every
    typed word without errors, `parent` is the name of the place that contains it, and `fills` holds
    all wider places, to fill in the fields for them. Raises LookupError for an unknown list.
    """
    query = search.parse_query(typed)
    options = []
    for item in _matching_items(name, typed, day, region, district):
        option = _item_option(item, locale)
        option["near"] = is_close_match(item, query)
        option["match"] = _matched_range(option["name"], typed)
        options.append(option)
    return options


def option_by_code(name: str, code: str, locale: str) -> Option:
    """Return the option of a place, or of a value of the list `name`, by its code.

    If `code` is not a code but a text that was typed instead, the option has this text as code and
    name. The option has no `match` and no `near`, because nothing was searched.
    """
    if name in ("region", "district", "mahalla") and (place := find_place(name, code)):
        return _item_option(place, locale)
    return {"code": code, "name": value_label(name, code, locale)}


def _matching_items(
    name: str, typed: str, day: dt.date, region: str | None, district: str | None
) -> list[Region] | list[District] | list[Mahalla] | list[CatalogItem]:
    """Return the places or values that match the text; the parameters are as in matching_options().

    Raises LookupError for an unknown list.
    """
    if name == "region":
        return match_regions(typed)
    if name == "district":
        return match_districts(typed, region)
    if name == "mahalla":
        return match_mahallas(typed, district, region)
    if find_catalog(name):
        return find_items(name, typed, day)
    raise LookupError(name)


def _item_option(item: Region | District | Mahalla | CatalogItem, locale: str) -> Option:
    """Return the option of a value or a place: code, name, and the wider places that contain it.

    `parent` is the name of the place that directly contains it, `fills` has an option for each
    wider place by its kind; both are missing if there are no wider places.
    """
    name = localized_name(item, locale)
    if isinstance(item, Region):
        return {"code": item.soato, "name": name}
    if isinstance(item, District):
        region = _item_option(item.region, locale)
        fills = {"region": region}
        return {"code": item.soato, "name": name, "parent": region["name"], "fills": fills}
    if isinstance(item, Mahalla):
        district = _item_option(item.district, locale)
        fills = {"district": {key: district[key] for key in ("code", "name")}, **district["fills"]}
        return {"code": str(item.id), "name": name, "parent": district["name"], "fills": fills}
    return {"code": item.code, "name": name}


def _matched_range(name: str, typed: str) -> tuple[int, int]:
    """Return the (start, end) of the part of a name that matches the text, in any script.

    Return (0, 0) without a match.
    """
    key = fold_text(typed)
    if not key:
        return 0, 0
    starts = [i for i, char in enumerate(name) if char.isalnum()]
    start = next((i for i in starts if fold_text(name[i:]).startswith(key)), None)
    if start is None:
        return search.first_match_span(name, search.parse_query(typed))
    ends = range(start + 1, len(name) + 1)
    return start, next(end for end in ends if fold_text(name[start:end]).startswith(key))
